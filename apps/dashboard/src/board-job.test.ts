import type { Job } from '@millrace/core';
import { expect, it } from 'vitest';
import { boardJob } from './board-job.ts';
import { BOARD_PREVIEW_CHARACTERS } from './bounds.ts';

const JOB: Job = {
  id: `resp_${'ab'.repeat(24)}`,
  queue: 'extract',
  type: 'extract',
  status: 'completed',
  model: 'gpt-5',
  priority: 5,
  created_at: 1000,
  started_at: 1000,
  finished_at: 2000,
  delayed_until: null,
  deadline: null,
  metadata: { customer: 'acme' },
  webhook_url: 'https://hooks.example/secret-token',
  retry_of: null,
  retried_as: null,
  forget: false,
  cache: null,
  follows: null,
  answered_by: null,
  flow: null,
  step: null,
  key: null,
  turns: 0,
  tool_calls: null,
  batch: null,
  error: null,
  usage: {
    input_tokens: 30,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 4,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 34,
  },
  attempts: [],
  body: { document: 'Total: 12 EUR', schema: 'invoice', instructions: 'Read the total.' },
};
const RESPONSE = { id: 'r', object: 'response' as const };

it('an extraction shows its document, schema, outcome, tokens and parsed answer', () => {
  const answer = { response: RESPONSE, output_text: '{"total":12}', output_parsed: { total: 12 }, usage: null };
  expect(boardJob({ job: JOB, answer })).toMatchObject({
    name: 'extract · gpt-5 · completed',
    data: { document: 'Total: 12 EUR', schema: 'invoice', metadata: { customer: 'acme' } },
    returnValue: { outcome: 'completed', tokens: { input: 30, output: 4 }, output_parsed: { total: 12 } },
  });
});

it('a failed job shows its error, one that is not finished no outcome', () => {
  const error = { code: 'refusal', message: 'No.' };
  expect(boardJob({ job: { ...JOB, status: 'failed', error }, answer: null })?.returnValue).toMatchObject({ error });
  expect(boardJob({ job: { ...JOB, status: 'queued', finished_at: null }, answer: null })?.returnValue).toBeNull();
});

it('the flow a job is a step of, and the job whose call it shared, are shown where there are any', () => {
  const shared = { ...JOB, flow: 'flow_1', answered_by: 'resp_1' };
  expect(boardJob({ job: shared, answer: null })?.data).toMatchObject({ flow: 'flow_1', answered_by: 'resp_1' });
  expect(Object.keys(boardJob({ job: JOB, answer: null })?.data ?? {})).not.toContain('flow');
});

it('whatever is long is cut, so that a page of jobs stays small', () => {
  const long = 'x'.repeat(1024 * 1024);
  const answer = { response: RESPONSE, output_text: long, usage: null };
  const generate: Job = { ...JOB, type: 'generate', body: { input: long } };
  const extract: Job = {
    ...JOB,
    body: { document: long, schema: { name: long, schema: { long } }, instructions: long },
  };
  const failed: Job = { ...generate, error: { code: 'c', message: long } };
  for (const job of [generate, extract, failed]) {
    expect(JSON.stringify(boardJob({ job, answer })).length).toBeLessThan(6 * BOARD_PREVIEW_CHARACTERS);
  }
});

it('the webhook’s address is left out, and a record that is gone is no view', () => {
  expect(JSON.stringify(boardJob({ job: JOB, answer: null }))).not.toContain('secret-token');
  expect(boardJob(null)).toBeNull();
});
