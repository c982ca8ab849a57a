/** What a call made as a chat completion promises: one plain request, and the Outcome a direct call would have had. */
import type { Outcome } from '@millrace/core';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { CallRequest } from './call.ts';
import { answer, head, response, said, until } from './testing/misbehaving-server.ts';
import { open } from './testing/open.ts';
import { nothing, ok } from './testing/scenario.ts';

const schema = { type: 'object', properties: { total: { type: 'number' } }, required: ['total'] };
const format = { type: 'json_schema', name: 's', schema, strict: true };
const structured = { model: 'm', input: 'x', text: { format } };

/** A chat completion as OpenAI sends it. */
function completion(message: Record<string, unknown> = {}, finish_reason = 'stop'): Record<string, unknown> {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: 'Hello', refusal: null, annotations: [], ...message },
        logprobs: null,
        finish_reason,
      },
    ],
    usage: {
      prompt_tokens: 10,
      completion_tokens: 5,
      total_tokens: 15,
      prompt_tokens_details: { cached_tokens: 4, audio_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 1, audio_tokens: 0 },
    },
  };
}

async function openChat(...args: Parameters<typeof open>) {
  const opened = await open(...args);
  const call = (request: Partial<CallRequest> = {}) => opened.call({ api: 'chat', ...request });
  return { ...opened, call };
}

/** An Outcome without what only the upstream's own ids and echoes tell apart. */
function comparable(outcome: Outcome): unknown {
  const { upstreamId: _, ...rest } = { upstreamId: undefined, ...outcome };
  if (!('answer' in rest) || rest.answer === undefined) return rest;
  const { response: __, ...answered } = rest.answer;
  return { ...rest, answer: answered };
}

describe('the request', () => {
  test('is one plain POST of the converted body', async () => {
    const { call, server } = await openChat(ok(completion()), { apiKey: 'sk-1' });
    const events: string[] = [];
    const started: unknown[] = [];
    const outcome = await call({
      body: { model: 'm', instructions: 'Be brief.', input: 'x', stream: true, background: true, max_output_tokens: 9 },
      stream: true,
      background: { onStarted: (response) => void started.push(response) },
      onEvent: (type) => events.push(type),
    });
    expect(outcome).toMatchObject({ kind: 'completed' });
    expect(server.requests).toHaveLength(1);
    const [request] = server.requests;
    expect(request).toMatchObject({ method: 'POST', path: '/v1/chat/completions' });
    expect(request?.headers).toMatchObject({ authorization: 'Bearer sk-1', 'user-agent': 'Millrace' });
    expect(JSON.parse(request?.body ?? '')).toEqual({
      model: 'm',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'x' },
      ],
      max_completion_tokens: 9,
    });
    expect([...events, ...started]).toEqual([]);
  });

  test('takes the upstream’s first model where none is named', async () => {
    const { call, server } = await openChat((socket, request) =>
      ok(request.path === '/v1/models' ? { data: [{ id: 'first' }] } : completion())(socket, request),
    );
    expect(await call({ body: { input: 'x' } })).toMatchObject({ kind: 'completed' });
    expect(JSON.parse(server.requests[1]?.body ?? '')).toMatchObject({ model: 'first' });
  });

  test('that has no counterpart fails, and nothing is sent', async () => {
    const { call, server } = await openChat(nothing);
    expect(await call({ body: { model: 'm', input: 'x', previous_response_id: 'resp_1' } })).toMatchObject({
      kind: 'failed',
      reason: 'bad_request',
      error: { code: 'unsupported_parameter', message: expect.stringContaining("'previous_response_id'") },
      possiblyBilled: false,
    });
    expect(server.requests).toEqual([]);
  });
});

describe('the answer', () => {
  test('comes as a Response, with its text, its usage and the completion’s id', async () => {
    const { call } = await openChat(ok(completion()));
    const usage = {
      input_tokens: 10,
      input_tokens_details: { cached_tokens: 4 },
      output_tokens: 5,
      output_tokens_details: { reasoning_tokens: 1 },
      total_tokens: 15,
    };
    expect(await call()).toMatchObject({
      kind: 'completed',
      answer: {
        response: { id: 'chatcmpl-1', object: 'response', status: 'completed', usage },
        output_text: 'Hello',
        usage,
      },
      upstreamId: 'chatcmpl-1',
      usage,
    });
  });

  const refusal = { type: 'message', content: [{ type: 'refusal', refusal: 'No.' }] };
  const cut = { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } };
  const filtered = { status: 'incomplete', incomplete_details: { reason: 'content_filter' } };
  test.each<[string, Partial<CallRequest>, Record<string, unknown>, Record<string, unknown>]>([
    ['a text', {}, completion(), response()],
    ['cut for length', {}, completion({}, 'length'), response(cut)],
    ['filtered', {}, completion({}, 'content_filter'), response(filtered)],
    [
      'a value',
      { body: structured },
      completion({ content: '{"total":42}' }),
      response({ output: [said('{"total":42}')] }),
    ],
    [
      'a value extracted with zod',
      { type: 'extract', body: structured, zod: z.object({ total: z.number().transform(String) }) },
      completion({ content: '{"total":42}' }),
      response({ output: [said('{"total":42}')] }),
    ],
    [
      'no value',
      { type: 'extract', body: structured },
      completion({ content: '{}' }),
      response({ output: [said('{}')] }),
    ],
    ['half a value', { type: 'extract', body: structured }, completion({}, 'length'), response(cut)],
    ['a refusal', {}, completion({ content: null, refusal: 'No.' }), response({ output: [refusal] })],
    [
      'a refusal to extract',
      { type: 'extract', body: structured },
      completion({ content: null, refusal: 'No.' }),
      response({ output: [refusal] }),
    ],
    [
      'a model that broke off',
      {},
      completion({}, 'error'),
      response({ status: 'failed', error: { code: 'server_error', message: 'The model broke off with an error.' } }),
    ],
  ])('%s is the Outcome of a direct call', async (_, request, chat, direct) => {
    const chatted = await openChat(ok(chat));
    const called = await open(ok(direct));
    expect(comparable(await chatted.call(request))).toEqual(comparable(await called.call(request)));
  });

  test('may be calls of tools', async () => {
    const tool_calls = [{ id: 'call_a', type: 'function', function: { name: 'f', arguments: '{}' } }];
    const { call } = await openChat(ok(completion({ content: null, tool_calls }, 'tool_calls')));
    expect(await call()).toMatchObject({
      kind: 'completed',
      answer: {
        output_text: '',
        response: { output: [{ type: 'function_call', call_id: 'call_a', name: 'f', arguments: '{}' }] },
      },
    });
  });
});

describe('what goes wrong', () => {
  const whole = JSON.stringify(completion());
  test.each<[string, Parameters<typeof open>[0], Record<string, unknown>]>([
    [
      '429',
      answer(429, '{"error":{"message":"Slow."}}', { 'retry-after': '7' }),
      { kind: 'retry', reason: 'rate_limited', afterMs: 7000 },
    ],
    ['out of quota', answer(429, '{"error":{"code":"insufficient_quota"}}'), { reason: 'insufficient_quota' }],
    ['500', answer(500, '{}'), { kind: 'retry', reason: 'upstream_error' }],
    [
      '400',
      answer(400, '{"error":{"message":"Bad."}}'),
      { kind: 'failed', reason: 'bad_request', possiblyBilled: false },
    ],
    ['404', answer(404, '{}'), { kind: 'failed', reason: 'not_found' }],
    [
      'a page',
      answer(200, '<title>Sign in</title>', { 'content-type': 'text/html' }),
      { kind: 'retry', reason: 'malformed' },
    ],
    ['JSON cut short', answer(200, whole.slice(0, -20)), { kind: 'retry', reason: 'malformed', possiblyBilled: true }],
    [
      'a body cut short',
      (socket) => {
        socket.write(head(200, { 'content-type': 'application/json', 'content-length': String(whole.length) }));
        socket.end(whole.slice(0, -20));
      },
      { kind: 'retry', reason: 'connection', possiblyBilled: true },
    ],
    [
      'a Response',
      ok(response()),
      { reason: 'malformed', error: { message: expect.stringContaining('is no chat completion') } },
    ],
    ['no choices', ok({ ...completion(), choices: [] }), { reason: 'malformed' }],
    [
      'an error in disguise',
      ok({ error: { message: 'Loading' } }),
      { reason: 'malformed', error: { message: 'Loading' } },
    ],
  ])('%s', async (_, server, expected) => {
    const { call, upstream } = await openChat(server);
    expect(await call()).toMatchObject({ possiblyBilled: expect.any(Boolean), ...expected });
    await until('the connection is free or gone', () => upstream.stats().running === 0);
  });

  test('no answer within the time', async () => {
    const { call, server } = await openChat(nothing);
    expect(await call({ timeoutMs: 100 })).toMatchObject({ kind: 'retry', reason: 'timeout', possiblyBilled: true });
    await until('the connection is dropped', () => server.open() === 0);
  });

  test('a stop ends it', async () => {
    const controller = new AbortController();
    const { call } = await openChat(() => controller.abort({ kind: 'cancelled' }));
    expect(await call({ signal: controller.signal })).toMatchObject({ kind: 'cancelled', possiblyBilled: true });
  });

  test('the headers are told', async () => {
    const { call } = await openChat(answer(429, '{}', { 'x-ratelimit-limit-requests': '9' }));
    const told: unknown[] = [];
    await call({ onHeaders: (status, header) => told.push([status, header('x-ratelimit-limit-requests')]) });
    expect(told).toEqual([[429, '9']]);
  });
});
