/** What a call in the background promises: the direct call's Outcome, paid once, whatever breaks on the way. */
import { getEventListeners } from 'node:events';
import type { Outcome } from '@millrace/core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import type { Started } from './background-response.ts';
import { openUpstream } from './open-upstream.ts';
import {
  cutShort,
  last,
  opening,
  queued,
  type Routes,
  routes,
  second,
  stands,
  third,
} from './testing/background-server.ts';
import { answer, type Behaviour, event, head, response, stream, until } from './testing/misbehaving-server.ts';
import { open, settings } from './testing/open.ts';
import { openSimulated } from './testing/open-simulated.ts';
import { run } from './testing/run-background.ts';
import { nothing, ok } from './testing/scenario.ts';

const ON = { background: 'on' } as const;
const silent = { onStarted: () => undefined };

/** An Outcome less what differs from call to call: ids and times. */
function essence(outcome: Outcome): unknown {
  const { upstreamId: _, ...rest } = outcome;
  const text = 'answer' in outcome ? outcome.answer?.output_text : undefined;
  return { ...rest, ...('answer' in rest ? { answer: { text, usage: rest.answer?.usage } } : {}) };
}

describe('the Outcome is that of a direct call', () => {
  const schema = {
    type: 'object',
    properties: { total: { type: 'number' } },
    required: ['total'],
    additionalProperties: false,
  };
  const format = { type: 'json_schema', name: 's', schema, strict: true };
  test.each([
    ['an answer', 'Hello', {}],
    ['an incomplete one', '[[fault:incomplete]] Hello', {}],
    ['a refusal', '[[fault:refusal]] Hello', {}],
    ['a failed one', '[[fault:failed]] Hello', {}],
    ['a rejected one', '[[fault:failed code=invalid_prompt]] Hello', {}],
    ['a value', 'The total is 42.', { type: 'extract', format }],
    ['a value that misses', '[[fault:badschema]] The total is 42.', { type: 'extract', format }],
    ['a refused extraction', '[[fault:refusal]] The total is 42.', { type: 'extract', format }],
    ['a request that is refused', '[[fault:400]]', {}],
    ['a limit', '[[fault:429 after=7]]', {}],
    ['an error', '[[fault:500]]', {}],
    ['a reset', '[[fault:reset]]', {}],
  ] as const)('%s', async (_, input, { type = 'generate', ...text }: { type?: 'generate' | 'extract' }) => {
    const { call, another } = await openSimulated({ tokensPerSecond: 5000 });
    const body = { model: 'gpt-5', input, ...('format' in text ? { text } : {}) };
    const request = { body, type, timeoutMs: 10_000, signal: new AbortController().signal };
    const direct = await another().call(request);
    expect(essence(await call(input, request))).toEqual(essence(direct));
  });

  test('a value checked by zod', async () => {
    const { outcome } = await run(
      { create: stream([opening, last.replace('Hello', '{\\"total\\":42}')]) },
      { type: 'extract', zod: z.object({ total: z.number() }) },
    );
    expect(outcome).toMatchObject({ kind: 'completed', answer: { output_parsed: { total: 42 } } });
  });
});

describe('what is sent', () => {
  test('is the request with background and stream, and store as it was', async () => {
    const body = { model: 'm', input: 'x', store: true, stream_options: { include_obfuscation: false } };
    const { server } = await run({ create: stream([opening, last]) }, { body });
    expect(server.requests.map((request) => JSON.parse(request.body))).toEqual([
      { ...body, background: true, stream: true },
    ]);
  });

  test('is a direct request where it is not to be stored, or nobody listens', async () => {
    const { call, server } = await open(ok(response()), ON);
    await call({ body: { model: 'm', store: false }, background: silent });
    await call({ body: { model: 'm' } });
    expect(server.requests.map(({ body }) => JSON.parse(body))).toEqual([{ model: 'm', store: false }, { model: 'm' }]);
  });

  test('names the first model where the request names none', async () => {
    const { call, server } = await open((socket, request) => {
      if (request.path.endsWith('/models')) answer(200, '{"object":"list","data":[{"id":"first"}]}')(socket, request);
      else stream([opening, last])(socket, request);
    }, ON);
    expect(await call({ body: { input: 'x' }, background: silent })).toMatchObject({ kind: 'completed' });
    expect(JSON.parse(server.requests[1]?.body ?? '')).toMatchObject({ model: 'first', background: true });
  });
});

describe('the start', () => {
  test('is told once, with the id, while the answer is still being made; the sequence number moves on', async () => {
    const { promise, resolve } = Promise.withResolvers<Started>();
    const seen: (number | null)[] = [];
    const { call, server } = await open((socket, request) => {
      stream([opening], false)(socket, request);
      promise.then((started) => {
        seen.push(started.sequence);
        const rest = second + third + last;
        socket.write(`${Buffer.byteLength(rest).toString(16)}\r\n${rest}\r\n0\r\n\r\n`);
      });
    }, ON);
    const starts: Started[] = [];
    const onStarted = (started: Started): void => {
      starts.push(started);
      resolve(started);
    };
    expect(await call({ background: { onStarted } })).toMatchObject({ kind: 'completed', upstreamId: 'resp_1' });
    expect(seen).toEqual([0]);
    expect(starts.map(({ upstreamId, sequence }) => [upstreamId, sequence])).toEqual([['resp_1', 2]]);
    expect(server.requests).toHaveLength(1);
  });

  test('that cannot be noted, at once, later or never, costs nothing but a word to the log', async () => {
    const faults: unknown[] = [];
    const { server } = await open(stream([opening, last]));
    const upstream = openUpstream(
      { ...settings(server.baseURL), ...ON },
      { onFault: (error) => faults.push((error as Error).message) },
    );
    onTestFinished(() => upstream.close());
    for (const onStarted of [
      () => {
        throw new Error('at once');
      },
      () => Promise.reject(new Error('later')),
      () => new Promise<void>(() => undefined),
    ]) {
      const request = { body: { model: 'm' }, type: 'generate', timeoutMs: 5000 } as const;
      const outcome = await upstream.call({
        ...request,
        signal: new AbortController().signal,
        background: { onStarted },
      });
      expect(outcome).toMatchObject({ kind: 'completed' });
    }
    expect(faults).toEqual(['at once', 'later']);
  });

  test('is not told of a response that is not in the background: that one cannot be re-attached to', async () => {
    const direct = opening.replace('"background":true', '"background":false');
    const { outcome, started, asked } = await run({ create: stream([direct, second]) });
    expect(outcome).toMatchObject({ kind: 'retry', reason: 'cut_stream', possiblyBilled: true, upstreamId: 'resp_1' });
    expect([started, asked, 'reattach' in outcome]).toEqual([[], ['create'], false]);
  });

  test('is not told of an id that nobody could ask for', async () => {
    const odd = opening.replaceAll('resp_1', '..');
    const { outcome, started, asked } = await run({ create: stream([odd, second]) });
    expect(outcome).toMatchObject({ kind: 'retry', possiblyBilled: true });
    expect([started, asked]).toEqual([[], ['create']]);
  });
});

describe('a stream that breaks is read on in the same call, and billed once', () => {
  test.each([
    ['rst', {}],
    ['fin', {}],
    ['stall', { idleSeconds: 0.05 }],
    ['badjson', {}],
    ['noterminal', {}],
    ['hugeline', {}],
  ])('%s', async (fault, config) => {
    const { call, simulator, started } = await openSimulated({}, config);
    const outcome = await call(`[[fault:${fault}]] Tell me a story`);
    expect(outcome).toMatchObject({ kind: 'completed', answer: { output_text: expect.stringMatching(/\S/) } });
    expect(started).toMatchObject([{ upstreamId: outcome.upstreamId }]);
    await until('it is delivered', () => simulator.stats().delivered === 1);
    expect(simulator.ledger()).toMatchObject([{ id: outcome.upstreamId, outcome: 'completed' }]);
  });

  test('while the answer is still being made', async () => {
    const { call, simulator } = await openSimulated({ tokensPerSecond: 100 });
    expect(await call('[[fault:rst]] Tell me a story')).toMatchObject({ kind: 'completed' });
    expect(simulator.ledger()).toHaveLength(1);
  });

  test('each of two hundred, cut here and there', async () => {
    const kinds = ['rst', 'fin', 'badjson', 'noterminal'] as const;
    const { call, simulator } = await openSimulated({ faults: kinds.map((kind) => ({ kind, probability: 0.2 })) });
    const outcomes = await Promise.all(Array.from({ length: 200 }, (_, job) => call(`Tell me story ${job}`)));
    expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(['completed']));
    const { faults } = simulator.stats();
    for (const kind of kinds) expect(faults[kind], kind).toBeGreaterThan(10);
    const ids = outcomes.map(({ upstreamId }) => upstreamId ?? '');
    expect(
      simulator
        .ledger()
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual(ids.toSorted());
  });

  test('after the last event that was read', async () => {
    const { outcome, server } = await run({ create: stream([opening, second, third]), replay: stream([last]) });
    expect(outcome).toMatchObject({ kind: 'completed' });
    expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /v1/responses',
      'GET /v1/responses/resp_1?stream=true&starting_after=2',
    ]);
  });

  test('also where its terminal event came garbled', async () => {
    const garbled = 'event: response.completed\ndata: {"respo\n\n';
    const { outcome, asked } = await run({ create: stream([opening, garbled]), replay: stream([last]) });
    expect([outcome.kind, asked]).toEqual(['completed', ['create', 'replay']]);
  });

  test('also where it broke off with an error that blames nobody', async () => {
    const broke = event('error', { code: 'server_error', message: 'Lost it.', param: null });
    const failed = stands({ status: 'failed', error: { code: 'server_error', message: 'Really lost it.' } });
    const { outcome } = await run({ create: stream([opening, broke]), replay: stream([broke]), retrieve: failed });
    expect(outcome).toMatchObject({
      kind: 'retry',
      reason: 'response_failed',
      error: { message: 'Really lost it.' },
      possiblyBilled: false,
      usage: { total_tokens: 15 },
    });
    expect('reattach' in outcome).toBe(false);
  });

  test('but one that ended, however badly, is not asked for again', async () => {
    const failed = last.replace('response.completed', 'response.failed').replace('"completed"', '"failed"');
    const broke = event('error', { code: 'invalid_prompt', message: 'No.', param: null });
    for (const end of [failed, broke]) {
      const { outcome, asked } = await run({ create: stream([opening, end]) });
      expect([asked, 'reattach' in outcome]).toEqual([['create'], false]);
      expect(outcome).toMatchObject({ reason: 'response_failed', possiblyBilled: false });
    }
  });

  test('and is left to be re-attached to where the upstream is gone for longer', async () => {
    const { outcome, asked, started } = await run({
      create: cutShort,
      replay: answer(503, ''),
      retrieve: answer(503, '', { 'retry-after': '60' }),
    });
    expect(outcome).toMatchObject({
      kind: 'retry',
      reason: 'upstream_error',
      afterMs: 60_000,
      countsAsAttempt: false,
      possiblyBilled: false,
      upstreamId: 'resp_1',
      reattach: { upstreamId: 'resp_1', startingAfter: 1 },
    });
    expect([asked, started.length]).toEqual([['create', 'replay', 'retrieve'], 1]);
  });
});

describe('what broke before the id was known may have been billed', () => {
  test.each([
    ['silence', nothing, { idleSeconds: 0.05 }],
    ['a reset', (socket) => socket.resetAndDestroy(), {}],
    ['half an event', stream([opening.slice(0, -10)]), {}],
    ['a body cut short', (socket) => socket.end(`${head(200, { 'content-length': '100' })}{"id":"resp_1"`), {}],
    ['a page', answer(200, '<html>'), {}],
  ] satisfies [string, Behaviour, object][])('%s', async (_, create, config) => {
    const { call, server } = await open(create, { ...ON, ...config });
    const outcome = await call({ background: silent });
    expect(outcome).toMatchObject({ kind: 'retry', possiblyBilled: true });
    expect(['reattach' in outcome, server.requests.length]).toEqual([false, 1]);
  });

  test('but not where nothing was sent', async () => {
    const { call } = await open(nothing, { ...ON, baseURL: 'http://127.0.0.1:1/v1' });
    expect(await call({ background: silent })).toMatchObject({ kind: 'retry', possiblyBilled: false });
  });
});

test('no timer and no listener outlives its call, however it ended', async () => {
  const { call, server } = await open(nothing, ON);
  const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const before = timers();
  for (const given of [
    { create: stream([opening, last]) },
    { create: cutShort, replay: stream([last]) },
    { create: cutShort, replay: answer(400, ''), retrieve: answer(401, '') },
    { create: queued, retrieve: stands() },
    { create: answer(500, '') },
  ] satisfies Routes[]) {
    server.behave(routes(given));
    const controller = new AbortController();
    await call({ signal: controller.signal, timeoutMs: 60_000, background: silent });
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  }
  server.behave(routes({ create: stream([opening], false), cancel: stands({ status: 'cancelled' }) }));
  const controller = new AbortController();
  const onStarted = (): void => controller.abort({ kind: 'cancelled' });
  expect(await call({ signal: controller.signal, background: { onStarted } })).toMatchObject({ kind: 'cancelled' });
  expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  expect(timers()).toBeLessThanOrEqual(before);
});

test('headers are told as soon as the stream begins', async () => {
  const { promise, resolve } = Promise.withResolvers<number>();
  const { call } = await open((socket, request) => {
    stream([opening], false)(socket, request);
    promise.then(() => socket.write(`${Buffer.byteLength(last).toString(16)}\r\n${last}\r\n0\r\n\r\n`));
  }, ON);
  expect(await call({ background: silent, onHeaders: resolve })).toMatchObject({ kind: 'completed' });
  expect(await promise).toBe(200);
});
