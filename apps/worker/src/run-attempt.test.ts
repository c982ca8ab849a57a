import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AuditEntry, ConfigInput, Outcome } from '@millrace/core';
import type { Begun } from '@millrace/queue';
import { openUpstream } from '@millrace/upstream';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { testConfig } from '../../../packages/queue/src/testing/store.ts';
import { attemptRun } from './run-attempt.ts';

interface Asked {
  path: string;
  body: Record<string, unknown>;
}

const answerOf = (text: string): Record<string, unknown> => ({
  id: 'resp_upstream',
  object: 'response',
  status: 'completed',
  output: [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text, annotations: [] }] }],
});

/** A tiny upstream, and one attempt against it. */
async function attempt(
  terms: {
    begun?: Partial<Begun>;
    config?: ConfigInput;
    answer?: (response: ServerResponse) => void;
    upstreams?: boolean;
    promptCacheKey?: boolean;
    controller?: AbortController;
  } = {},
): Promise<{ outcome: Outcome; asked: Asked[]; audited: AuditEntry[] }> {
  const asked: Asked[] = [];
  const answer =
    terms.answer ??
    ((response: ServerResponse) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(answerOf('{"total": 7}')));
    });
  const server = createServer(async (request: IncomingMessage, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    asked.push({ path: request.url ?? '', body: JSON.parse(text) });
    answer(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const { promptCacheKey = true } = terms;
  const config = testConfig({ upstreams: { here: { baseURL, background: 'off', promptCacheKey } }, ...terms.config });
  const settings = config.queues.generate;
  const upstreamConfig = config.upstreams.here;
  if (settings === undefined || upstreamConfig === undefined) throw new Error('the test configuration is not whole');
  const upstream = openUpstream(upstreamConfig);
  onTestFinished(async () => {
    await upstream.close();
    server.closeAllConnections();
    server.close();
  });
  const audited: AuditEntry[] = [];
  const audit = { write: (entry: AuditEntry) => void audited.push(entry), close: async () => undefined };
  const run = attemptRun(config, terms.upstreams === false ? new Map() : new Map([['here', upstream]]), audit);
  const begun: Begun = {
    ...{ kind: 'begun', epoch: 3, startedAt: 1000, counted: 0, deadline: null, type: 'generate', model: 'm' },
    body: { input: 'hello' },
    ...{ checkpoint: null, stream: false, hasTurns: false, checkpointDamaged: false, metadata: null },
    ...terms.begun,
  };
  const controller = terms.controller ?? new AbortController();
  const outcome = await run({
    id: 'resp_job',
    queue: 'generate',
    settings,
    begun,
    api: 'responses',
    turns: [],
    controller,
    checkpoint: async () => 'written',
    told: () => undefined,
  });
  return { outcome, asked, audited };
}

const SCHEMA = {
  type: 'object',
  properties: { total: { type: 'number' } },
  required: ['total'],
  additionalProperties: false,
};

it('a generate job is sent as it came, but for the model it was given and what only concerns our surface', async () => {
  const body = { input: 'hi', background: true, stream: false, top_p: 0.5, metadata: { a: 'b' }, model: 'asked' };
  const { outcome, asked } = await attempt({ begun: { body, model: 'given' } });
  expect(outcome).toMatchObject({ kind: 'completed', answer: { output_text: '{"total": 7}' } });
  expect(asked).toEqual([
    { path: '/v1/responses', body: { input: 'hi', top_p: 0.5, metadata: { a: 'b' }, model: 'given' } },
  ]);
});

it('an extraction is a strict structured request, and its answer is parsed', async () => {
  const body = { document: 'Total: 7', schema: { name: 'invoice', schema: SCHEMA }, instructions: 'Be exact.' };
  const { outcome, asked } = await attempt({ begun: { type: 'extract', body } });
  expect(outcome).toMatchObject({ kind: 'completed', answer: { output_parsed: { total: 7 } } });
  expect(asked[0]?.body).toMatchObject({
    instructions: expect.stringContaining('Be exact.'),
    text: { format: { type: 'json_schema', name: 'invoice', schema: SCHEMA, strict: true } },
  });
  expect(JSON.stringify(asked[0]?.body.input)).toContain('Total: 7');
});

it('requests that begin alike get one prompt_cache_key, which the client never asked for and is not told', async () => {
  const keyOf = async (body: Record<string, unknown>) =>
    (await attempt({ begun: { body } })).asked[0]?.body.prompt_cache_key;
  const key = await keyOf({ instructions: 'Be brief.', input: 'one' });
  expect(key).toMatch(/^mr-[0-9a-f]{32}$/);
  expect(await keyOf({ instructions: 'Be brief.', input: 'two' })).toBe(key);
  expect(await keyOf({ instructions: 'Be brief.', input: 'x', prompt_cache_key: 'mine' })).toBe('mine');
  expect(await keyOf({ input: 'bare' })).toBeUndefined();
  const { outcome } = await attempt({
    begun: { body: { instructions: 'Be brief.', input: 'x' } },
    answer: (response) => response.end(JSON.stringify({ ...answerOf('x'), prompt_cache_key: key })),
  });
  expect(outcome).toMatchObject({ answer: { response: { prompt_cache_key: null } } });
});

it('an upstream that refuses fields it does not know is sent no prompt_cache_key', async () => {
  const { asked } = await attempt({
    begun: { body: { instructions: 'Be brief.', input: 'x' } },
    promptCacheKey: false,
  });
  expect(asked[0]?.body).toEqual({ instructions: 'Be brief.', input: 'x', model: 'm' });
});

it('a schema of the configuration that is zod judges the answer itself, refinements included', async () => {
  const schemas = { invoice: z.object({ total: z.number().refine((total) => total > 100, 'too little') }) };
  const { outcome } = await attempt({
    config: { schemas },
    begun: { type: 'extract', body: { document: 'Total: 7', schema: 'invoice' } },
  });
  expect(outcome).toMatchObject({
    reason: 'schema_mismatch',
    error: { message: expect.stringContaining('too little') },
  });
});

it('a schema that the configuration has lost fails the job, and nothing is sent', async () => {
  const { outcome, asked } = await attempt({ begun: { type: 'extract', body: { document: 'd', schema: 'gone' } } });
  expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'schema_not_found' }, possiblyBilled: false });
  expect(asked).toEqual([]);
});

it('a cancelled job’s call is ended, and may be on the bill', async () => {
  const controller = new AbortController();
  const { outcome } = await attempt({ controller, answer: () => controller.abort({ kind: 'cancelled' }) });
  expect(outcome).toMatchObject({ kind: 'cancelled', possiblyBilled: true });
});

it('request, answer and error of every call go to the audit, where there is one', async () => {
  const { audited } = await attempt();
  expect(audited).toMatchObject([
    {
      ...{ job_id: 'resp_job', queue: 'generate', attempt: 3, upstream: 'here', error: null },
      request: { input: 'hello', model: 'm' },
      response: { id: 'resp_upstream' },
    },
  ]);
  const failed = await attempt({
    answer: (response) => {
      response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":{"message":"no","code":"bad"}}');
    },
  });
  expect(failed.audited).toMatchObject([{ response: null, error: { code: 'bad' } }]);
});

it('an upstream that is not open is a fault, which its caller turns into an Outcome', async () => {
  await expect(attempt({ upstreams: false })).rejects.toThrow("no upstream 'here'");
});
