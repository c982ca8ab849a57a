/** Re-attachment: what one process began another carries on with, and nothing is paid twice. */
import type { Outcome, UpstreamConfig } from '@millrace/core';
import { describe, expect, test } from 'vitest';
import { MAX_RETRIEVE_FAILURES } from './follow.ts';
import {
  cutShort,
  inTurn,
  last,
  opening,
  queued,
  routeOf,
  routes,
  second,
  stands,
  third,
} from './testing/background-server.ts';
import { answer, type Behaviour, event, head, response, said, stream, until } from './testing/misbehaving-server.ts';
import { open } from './testing/open.ts';
import { openSimulated } from './testing/open-simulated.ts';
import { nothing, ok } from './testing/scenario.ts';

const error = (message: string): string => JSON.stringify({ error: { message, code: null, param: null } });
const schema = { type: 'object', properties: { total: { type: 'number' } }, required: ['total'] };
const format = { type: 'json_schema', name: 's', schema, strict: true };
const later = { upstreamId: 'resp_1', startingAfter: null };

describe('over a simulator', () => {
  test('another process carries on after the last event, and the response is billed once', async () => {
    const { call, another, reattach, simulator, started, upstream } = await openSimulated({ tokensPerSecond: 100 });
    const input = 'Tell me a long story';
    const controller = new AbortController();
    const calling = call(input, { signal: controller.signal });
    await until('some of it is read', () => (started[0]?.sequence ?? 0) > 5);
    controller.abort({ kind: 'shutdown' });
    const interrupted = await calling;
    if (interrupted.kind !== 'interrupted' || !interrupted.reattach) throw new Error(JSON.stringify(interrupted));
    expect(interrupted).toMatchObject({ possiblyBilled: false, reattach: { startingAfter: started[0]?.sequence } });
    await upstream.close();

    const outcome = await reattach(another(), { body: { model: 'gpt-5', input }, ...interrupted.reattach });
    expect(outcome).toMatchObject({
      kind: 'completed',
      upstreamId: interrupted.upstreamId,
      answer: { output_text: expect.stringMatching(/story/) },
      usage: { output_tokens: expect.any(Number) },
    });
    expect(simulator.ledger()).toMatchObject([{ id: interrupted.upstreamId, outcome: 'completed', delivered: true }]);
  });

  test('a response that ended long ago is there all the same, from anywhere in its stream', async () => {
    const { call, another, reattach, simulator } = await openSimulated();
    const first = await call('Hello');
    const upstreamId = first.upstreamId ?? '';
    for (const startingAfter of [null, 0, 5, 1000]) {
      expect(await reattach(another(), { upstreamId, startingAfter })).toEqual(first);
    }
    expect(simulator.ledger()).toHaveLength(1);
  });

  test.each([
    ['incomplete', 'incomplete'],
    ['failed', 'retry'],
    ['failed code=invalid_prompt', 'failed'],
    ['refusal', 'completed'],
  ])('one that ended by %s comes to what the call came to', async (fault, kind) => {
    const { call, another, reattach } = await openSimulated();
    const first = await call(`[[fault:${fault}]]`);
    expect(first).toMatchObject({ kind });
    expect(await reattach(another(), { upstreamId: first.upstreamId ?? '' })).toEqual(first);
  });

  test('one that is answered with another’s id is given up, and marked', async () => {
    const { call, another, reattach } = await openSimulated();
    const { upstreamId = '' } = await call('[[fault:wrongid]]');
    for (const startingAfter of [null, 3]) {
      expect(await reattach(another(), { upstreamId, startingAfter })).toMatchObject({
        kind: 'retry',
        error: { code: 'wrong_response', message: expect.stringContaining(upstreamId) },
        countsAsAttempt: true,
        possiblyBilled: true,
      });
    }
  });

  test('one that was cancelled upstream is for calling again', async () => {
    const { call, another, reattach, started, upstream, simulator } = await openSimulated({ latencyMs: 60_000 });
    const calling = call('Hello');
    await until('it has started', () => started.length === 1);
    const upstreamId = started[0]?.upstreamId ?? '';
    const attached = reattach(another(), { upstreamId });
    await until('both read it', () => simulator.stats().requests === 1);
    expect(await upstream.cancelResponse(upstreamId, 5000)).toBe('cancelled');
    for (const outcome of await Promise.all([calling, attached])) {
      expect(outcome).toMatchObject({ kind: 'retry', reason: 'response_cancelled', possiblyBilled: false });
      expect('reattach' in outcome).toBe(false);
    }
  });

  test('one that nobody knows is gone', async () => {
    const { another, reattach } = await openSimulated();
    const outcome = await reattach(another(), { upstreamId: 'resp_0' });
    expect(outcome).toMatchObject({ kind: 'retry', reason: 'response_gone', possiblyBilled: true });
    expect('reattach' in outcome).toBe(false);
  });
});

describe('the answer is judged as a call’s', () => {
  const value = stands({ output: [said('{"total":42}')] });
  const body = { model: 'm', text: { format } };

  test('parsed where it fits', async () => {
    const { reattach } = await open(routes({ replay: answer(400, ''), retrieve: value }));
    expect(await reattach({ type: 'extract', body })).toMatchObject({ answer: { output_parsed: { total: 42 } } });
  });

  test('tried again where it misses', async () => {
    const { reattach } = await open(ok(response({ output: [said('{}')] })));
    expect(await reattach({ type: 'extract', body })).toMatchObject({
      kind: 'retry',
      reason: 'schema_mismatch',
      possiblyBilled: false,
    });
  });

  test('given up, and marked, where its schema no longer compiles', async () => {
    const { reattach, server } = await open(nothing);
    const broken = { model: 'm', text: { format: { ...format, schema: { type: 'strng' } } } };
    expect(await reattach({ type: 'extract', body: broken })).toMatchObject({
      kind: 'failed',
      error: { code: 'invalid_schema' },
      possiblyBilled: true,
      upstreamId: 'resp_1',
    });
    expect(server.requests).toEqual([]);
  });

  test('with what the request wanted included', async () => {
    const { reattach, server } = await open(routes({ replay: answer(400, ''), retrieve: stands() }));
    await reattach({ body: { model: 'm', include: ['reasoning.encrypted_content'] } });
    for (const { path } of server.requests) {
      expect(decodeURIComponent(path)).toMatch(/include(\[\])?=reasoning\.encrypted_content/);
    }
  });
});

describe('where the stream does not lead to the end, the response is asked for', () => {
  test.each([
    ['refused', answer(400, error('Cannot be streamed.'))],
    ['unknown', answer(404, error('No such route.'))],
    ['unknown, with a hint to try again', answer(404, '', { 'x-should-retry': 'true' })],
    ['not allowed', answer(405, '')],
    ['cut short', cutShort],
    ['empty', stream([])],
    ['broken off', stream([event('error', { code: 'server_error', message: 'Lost it.' })])],
    ['no stream', answer(200, '<html>')],
    ['failing', answer(500, '')],
    ['reset', (socket) => socket.resetAndDestroy()],
  ] satisfies [string, Behaviour][])('%s', async (_, replay) => {
    const { reattach, server } = await open(routes({ replay, retrieve: stands() }));
    expect(await reattach()).toMatchObject({ kind: 'completed', upstreamId: 'resp_1' });
    expect(server.requests.map(routeOf)).toEqual(['replay', 'retrieve']);
  });

  test('silent', async () => {
    const { reattach } = await open(routes({ replay: nothing, retrieve: stands() }), { idleSeconds: 0.05 });
    expect(await reattach()).toMatchObject({ kind: 'completed' });
  });

  test('at once where the server answers with the response instead of a stream', async () => {
    const { reattach, server } = await open(stands());
    expect(await reattach({ startingAfter: 7 })).toMatchObject({ kind: 'completed' });
    expect(server.requests.map(({ path }) => path)).toEqual(['/v1/responses/resp_1?stream=true&starting_after=7']);
  });
});

test('a deadline ends the waiting for one that stays queued, and cancels it', async () => {
  const { reattach, server } = await open(
    routes({ replay: queued, retrieve: queued, cancel: stands({ status: 'cancelled' }) }),
  );
  const controller = new AbortController();
  const attached = reattach({ signal: controller.signal });
  await until('it is polled', () => server.requests.length === 2);
  controller.abort({ kind: 'deadline' });
  expect(await attached).toMatchObject({ kind: 'failed', reason: 'deadline_exceeded', possiblyBilled: true });
  expect(server.requests.map(routeOf).at(-1)).toBe('cancel');
});

describe('what cannot be read is not gone: it is left for the next attempt', () => {
  test('at once where the upstream asks for a longer wait than a call should hold', async () => {
    const { reattach, server } = await open(answer(503, '', { 'retry-after': '30' }));
    expect(await reattach()).toMatchObject({ kind: 'retry', afterMs: 30_000, countsAsAttempt: false, reattach: later });
    expect(server.requests).toHaveLength(1);
  });

  test.each([
    [401, 'unauthorized'],
    [403, 'forbidden'],
    [400, 'bad_request'],
  ])('at once after a %i, which no wait mends: it counts, so it ends', async (status, reason) => {
    const { reattach, server } = await open(answer(status, error('No.')));
    expect(await reattach()).toMatchObject({
      kind: 'retry',
      reason,
      countsAsAttempt: true,
      possiblyBilled: false,
      reattach: later,
    });
    expect(server.requests.map(routeOf)).toEqual(['replay', 'retrieve']);
  });
});

/** Most of each is waiting between two tries: side by side, they take as long as the longest of them. */
describe.concurrent('with waits between the tries', () => {
  const UNREADABLE: [string, Behaviour, string, boolean, Partial<UpstreamConfig>?][] = [
    ['500', answer(500, error('Boom.')), 'upstream_error', false],
    ['502', answer(502, '<html>'), 'upstream_error', false],
    ['a reset', (socket) => socket.resetAndDestroy(), 'connection', false],
    ['half a body', (socket) => socket.end(`${head(200, { 'content-length': '100' })}{"id":`), 'connection', false],
    ['a refused connection', nothing, 'connection', false, { baseURL: 'http://127.0.0.1:1/v1' }],
    ['silence', nothing, 'stalled', false, { idleSeconds: 0.05 }],
    ['a 429', answer(429, error('Slow down.')), 'rate_limited', false],
    ['garbage', answer(200, '{"id":"resp_1","obj'), 'malformed', true],
    ['another object', answer(200, '{"object":"list"}'), 'malformed', true],
    ['no output', stands({ output: null }), 'malformed', true],
  ];

  // In one test, because each of them takes the whole time that a hiccup is given.
  test(`what cannot be read is left for the next attempt after ${MAX_RETRIEVE_FAILURES} failures: ${UNREADABLE.map(([name]) => name).join(', ')}`, async ({
    onTestFinished,
  }) => {
    const outcomes = UNREADABLE.map(async ([name, behaviour, reason, countsAsAttempt, config]) => {
      const { reattach, server } = await open(behaviour, config, onTestFinished);
      expect(await reattach({ startingAfter: 7 }), name).toMatchObject({
        kind: 'retry',
        reason,
        countsAsAttempt,
        possiblyBilled: false,
        upstreamId: 'resp_1',
        reattach: { upstreamId: 'resp_1', startingAfter: 7 },
      });
      // One more where it was the stream that was read first and broke: that is no failure yet.
      if (config?.baseURL === undefined) {
        expect([MAX_RETRIEVE_FAILURES, MAX_RETRIEVE_FAILURES + 1], name).toContain(server.requests.length);
      }
    });
    await Promise.all(outcomes);
  }, 20_000);

  test('one that is still being made is asked for again and again, however often that is', async ({
    onTestFinished,
  }) => {
    const making = [queued, queued, stands({ status: 'in_progress' }), stands()] as const;
    const { reattach, server } = await open(
      routes({ replay: cutShort, retrieve: inTurn(...making) }),
      {},
      onTestFinished,
    );
    expect(await reattach()).toMatchObject({ kind: 'completed' });
    expect(server.requests.map(routeOf)).toEqual(['replay', ...Array(4).fill('retrieve')]);
  });

  test('a response that stays queued is asked for ever less often, and is left for later when the time is up', async ({
    onTestFinished,
  }) => {
    const times: number[] = [];
    const { reattach, server } = await open(
      (socket, request) => {
        times.push(performance.now());
        queued(socket, request);
      },
      {},
      onTestFinished,
    );
    expect(await reattach({ timeoutMs: 2500 })).toEqual({
      kind: 'retry',
      reason: 'timeout',
      error: { code: 'timeout', message: 'No complete answer within 2.5 s.' },
      afterMs: 0,
      countsAsAttempt: true,
      possiblyBilled: false,
      upstreamId: 'resp_1',
      reattach: later,
    });
    // Waits of at least 0.25, 0.5 and 1 s lie between the first four.
    expect(server.requests.length).toBeGreaterThan(2);
    expect(server.requests.length).toBeLessThan(7);
    expect((times[2] ?? 0) - (times[1] ?? 0)).toBeGreaterThan(450);
  });

  test('what cannot be read is tried again within the call, where it passes', async ({ onTestFinished }) => {
    const down = answer(500, '');
    const { reattach, server } = await open(
      routes({ replay: down, retrieve: inTurn(down, queued, down, down, stands()) }),
      {},
      onTestFinished,
    );
    expect(await reattach({ timeoutMs: 30_000 })).toMatchObject({ kind: 'completed' });
    expect(server.requests).toHaveLength(6);
  });

  test('the next attempt re-attaches after what this one read', async ({ onTestFinished }) => {
    const { reattach, server } = await open(
      routes({ replay: stream([second, third]), retrieve: answer(500, '') }),
      {},
      onTestFinished,
    );
    const first = await reattach({ startingAfter: 0 });
    expect(first).toMatchObject({ kind: 'retry', reattach: { upstreamId: 'resp_1', startingAfter: 2 } });
    server.behave(stream([last]));
    expect(await reattach(reattachmentOf(first))).toMatchObject({ kind: 'completed' });
    expect(server.requests.at(-1)?.path).toBe('/v1/responses/resp_1?stream=true&starting_after=2');
  });
});

test('an id is sent as one step of the path, whatever it holds', async () => {
  const { reattach, server } = await open(
    stream([opening.replaceAll('resp_1', 'a/b?c=#d'), last.replaceAll('resp_1', 'a/b?c=#d')]),
  );
  expect(await reattach({ upstreamId: 'a/b?c=#d' })).toMatchObject({ kind: 'completed' });
  expect(server.requests[0]?.path).toBe('/v1/responses/a%2Fb%3Fc=%23d?stream=true');
  for (const upstreamId of ['', '.', '..', 'a b', 'x\ny', '\ud800', 'ü', 'x'.repeat(257)]) {
    expect(await reattach({ upstreamId })).toMatchObject({ error: { code: 'response_gone' }, possiblyBilled: true });
  }
  expect(server.requests).toHaveLength(1);
});

test('a fault of ours gives nothing up: the response can still be re-attached to', async () => {
  const { reattach, server } = await open(stands());
  // Nothing that came from JSON holds itself, and no query can say it.
  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  const outcome = await reattach({ body: { model: 'm', include: [cycle] } });
  expect(outcome).toMatchObject({ kind: 'retry', reason: 'internal', possiblyBilled: false, reattach: later });
  expect(server.requests).toEqual([]);
});

function reattachmentOf(outcome: Outcome): NonNullable<Extract<Outcome, { kind: 'retry' }>['reattach']> {
  if (outcome.kind !== 'retry' || outcome.reattach === undefined) throw new Error('no re-attachment');
  return outcome.reattach;
}
