import type { Answer, Job } from '@millrace/core';
import { describe, expect, it } from 'vitest';
import { testConfig } from '../../../packages/queue/src/testing/store.ts';
import type { OpenAIResponse } from '../../../packages/upstream/src/index.ts';
import { RESPONSE_ERROR_CODES, responseView } from './response-view.ts';

const JOB: Job = {
  ...{ id: `resp_${'a'.repeat(48)}`, queue: 'generate', type: 'generate', status: 'queued', model: 'm', priority: 5 },
  ...{ created_at: 1_800_000_000_999, started_at: null, finished_at: null, delayed_until: null, deadline: null },
  ...{
    metadata: { a: 'b' },
    webhook_url: null,
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
    usage: null,
    attempts: [],
  },
  body: { input: 'hi', temperature: 0.2, tools: [{ type: 'web_search' }], instructions: 'be kind' },
};
const ANSWER: Answer = {
  response: { id: 'resp_upstream', object: 'response', status: 'completed', output: [{ type: 'message' }], extra: 1 },
  output_text: 'x',
  usage: null,
};
const config = testConfig();

/** Compiles only while both lists hold the same codes. */
type SdkCode = NonNullable<OpenAIResponse['error']>['code'];
type OurCode = (typeof RESPONSE_ERROR_CODES)[number];
const sameCodes: [SdkCode] extends [OurCode] ? ([OurCode] extends [SdkCode] ? true : 'too many') : 'too few' = true;

/** Compiles only while it names every field that a Response always has, and no other. */
type RequiredField<T> = { [K in keyof T]-?: object extends Pick<T, K> ? never : K }[keyof T];
const REQUIRED: Record<RequiredField<OpenAIResponse>, true> = {
  ...{ id: true, object: true, created_at: true, error: true, incomplete_details: true, instructions: true },
  ...{ metadata: true, model: true, output: true, output_text: true, parallel_tool_calls: true, temperature: true },
  ...{ tool_choice: true, tools: true, top_p: true, access_programs: true },
};

it('the closed list of error codes is the SDK’s', () => {
  expect(sameCodes).toBe(true);
  expect(new Set(RESPONSE_ERROR_CODES).size).toBe(RESPONSE_ERROR_CODES.length);
});

it('a job that has no answer yet has every field that a Response always has', () => {
  for (const status of ['queued', 'in_progress', 'cancelled', 'failed'] as const) {
    const view = responseView(config, { ...JOB, status }, null);
    // The SDK itself makes output_text of the output.
    const missing = Object.keys(REQUIRED).filter((field) => field !== 'output_text' && !(field in view));
    expect(missing, status).toEqual([]);
    expect(view).toMatchObject({
      ...{ id: JOB.id, object: 'response', status, created_at: 1_800_000_000, background: false, model: 'm' },
      ...{ output: [], error: null, temperature: 0.2, instructions: 'be kind', tools: [{ type: 'web_search' }] },
      ...{ metadata: { a: 'b' }, parallel_tool_calls: true, tool_choice: 'auto', top_p: 1, store: true },
    });
  }
});

it('an answered job is the upstream’s Response, untouched but for its id and what was asked of its background', () => {
  const view = responseView(config, { ...JOB, status: 'completed' }, ANSWER);
  expect(view).toEqual({ ...ANSWER.response, id: JOB.id, background: false });
  const asked = responseView(config, { ...JOB, status: 'completed', body: { ...JOB.body, background: true } }, ANSWER);
  expect(asked.background).toBe(true);
});

describe('a failed job', () => {
  const failed = (code: string, answer: Answer | null = null) =>
    responseView(config, { ...JOB, status: 'failed', error: { code, message: 'why' } }, answer);

  it('keeps a code of the list, and tells any other in the message', () => {
    expect(failed('rate_limit_exceeded').error).toMatchObject({ code: 'rate_limit_exceeded' });
    for (const code of ['context_length_exceeded', 'insufficient_quota', '', 'toString', '__proto__']) {
      expect(failed(code).error).toEqual({ code: 'server_error', message: `${code}: why` });
    }
  });

  it('shows what was answered all the same', () => {
    expect(failed('refusal', ANSWER)).toMatchObject({ status: 'failed', output: [{ type: 'message' }] });
  });
});

it('an extraction is shown as the request it becomes, its schema looked up', () => {
  const schema = { type: 'object', properties: {}, required: [], additionalProperties: false };
  const view = responseView(
    config,
    { ...JOB, type: 'extract', body: { document: 'd', schema: { name: 's', schema } } },
    null,
  );
  expect(view.text).toEqual({ format: { type: 'json_schema', name: 's', schema, strict: true } });
  const lost = responseView(config, { ...JOB, type: 'extract', body: { document: 'd', schema: 'gone' } }, null);
  expect(lost.text).toEqual({ format: { type: 'text' } });
});
