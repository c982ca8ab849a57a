import type { Job } from '@millrace/core';
import { expect, it } from 'vitest';
import { jobSummary, jobView } from './job-view.ts';

const JOB: Job = {
  ...{ id: 'resp_1', queue: 'extract', type: 'extract', status: 'completed', model: 'm', priority: 2 },
  ...{ created_at: 1_800_000_000_250, started_at: 1_800_000_001_000, finished_at: 1_800_000_002_500 },
  ...{
    delayed_until: null,
    deadline: 1_800_000_060_000,
    metadata: { a: 'b' },
    webhook_url: null,
    forget: false,
    cache: null,
    follows: null,
    answered_by: null,
    flow: null,
    step: null,
    key: 'ops',
    turns: 0,
    tool_calls: null,
    batch: null,
    retry_of: 'resp_0',
    retried_as: null,
  },
  ...{ error: null, usage: null, body: { document: 'the document', schema: 's' } },
  attempts: [
    {
      ...{ number: 1, worker: 'host:1', started_at: 1_800_000_001_000, finished_at: 1_800_000_002_500 },
      ...{ outcome: 'completed', reason: null, error: null, upstream_id: 'resp_u', api: 'chat', usage: null },
      ...{ possibly_billed: false, counted: true },
      timeline: {
        ...{ taken_at: 1_800_000_000_500, waited_ms: 400, waited_for: 'tokens' },
        ...{ called_at: 1_800_000_001_010, first_token_at: null },
      },
      log: [{ at: 1_800_000_002_000, level: 'warn', text: 'a line' }],
    },
  ],
};

const nothing = () => null;

it('times are seconds, with fractions; the deadline is as it was sent', () => {
  expect(jobView(JOB, null, nothing)).toMatchObject({
    created_at: 1_800_000_000.25,
    deadline: '2027-01-15T08:01:00.000Z',
    timings: { started_at: 1_800_000_001, finished_at: 1_800_000_002.5, total_seconds: 2.25 },
    api: 'chat',
    key: 'ops',
    attempts: [
      {
        ...{ number: 1, started_at: 1_800_000_001, finished_at: 1_800_000_002.5, upstream_id: 'resp_u' },
        timeline: {
          ...{ taken_at: 1_800_000_000.5, waited_seconds: 0.4, waited_for: 'tokens' },
          ...{ called_at: 1_800_000_001.01, first_token_at: null },
        },
        log: [{ at: 1_800_000_002, level: 'warn', text: 'a line' }],
      },
    ],
  });
});

it('the request and the answer are shown where one job is asked for, and not in the listing', () => {
  const answer = { response: { id: 'u', object: 'response' as const }, output_text: 'x', usage: null };
  expect(jobView(JOB, { ...answer, output_parsed: { total: 7 } }, nothing)).toMatchObject({
    request: { document: 'the document' },
    result: { output_text: 'x', output_parsed: { total: 7 } },
  });
  expect(jobView(JOB, answer, nothing).result).toEqual({ output_text: 'x', output_parsed: null });
  expect(jobView(JOB, null, nothing).result).toBeNull();
  expect(JSON.stringify(jobSummary(JOB, nothing))).not.toContain('the document');
});

it('says what a job waits for, its time in seconds; else nothing', () => {
  const waiting = { reason: 'limit', until: 1_800_000_090_000, message: 'tokens of m, 3.2 s' } as const;
  expect(jobSummary(JOB, () => waiting).waiting_for).toEqual({ ...waiting, until: 1_800_000_090 });
  expect(jobSummary(JOB, nothing).waiting_for).toBeNull();
});

it('the cost is that of the tokens at the model’s price, 0 where another job’s call was shared, null where unknown', () => {
  const usage = {
    input_tokens: 1_000_000,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 0,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 1_000_000,
  };
  const cost = (more: object, prices = {}) => jobSummary({ ...JOB, usage, ...more }, nothing, prices).cost_usd;
  expect(cost({ model: 'gpt-5-mini' })).toBe(0.25);
  expect(cost({ model: 'mine' }, { mine: { input: 3, output: 1 } })).toBe(3);
  expect(cost({ model: 'mine' })).toBeNull();
  expect(cost({ model: 'mine', answered_by: 'resp_x' })).toBe(0);
});
