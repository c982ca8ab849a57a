/** A stop of a background call: who gives the answer up cancels it; who hands it over leaves it running. */
import { describe, expect, test } from 'vitest';
import type { AbortReason } from './abort-reason.ts';
import { inTurn, opening, queued, type Routes, routeOf, routes, second, stands } from './testing/background-server.ts';
import { answer, type Behaviour, stream, until } from './testing/misbehaving-server.ts';
import { open } from './testing/open.ts';
import { openSimulated } from './testing/open-simulated.ts';
import { nothing } from './testing/scenario.ts';

const ON = { background: 'on' } as const;
const silent = { onStarted: () => undefined };
const GIVES_UP: AbortReason[] = [{ kind: 'cancelled' }, { kind: 'deadline' }];
const HANDS_OVER: AbortReason[] = [{ kind: 'shutdown' }, { kind: 'lost' }];
const cancelled = stands({ status: 'cancelled', output: [], usage: null });
const MAKING: [string, Routes][] = [
  ['in mid-stream', { create: stream([opening, second], false), cancel: cancelled }],
  ['while it re-attaches', { create: stream([opening, second]), replay: stream([], false), cancel: cancelled }],
  ['between two polls', { create: queued, retrieve: queued, cancel: cancelled }],
];

/** A call, and a re-attachment where the routes make it one, that is stopped while it waits. */
async function stopDuring(given: Routes, reason: AbortReason) {
  const { call, server, upstream } = await open(routes(given), ON);
  const controller = new AbortController();
  let started = false;
  const onStarted = (): void => {
    started = true;
  };
  const outcome = call({ signal: controller.signal, background: { onStarted } });
  const waiting = given.replay ? 'replay' : given.retrieve ? 'retrieve' : 'create';
  await until('it waits', () => started && server.requests.map(routeOf).includes(waiting));
  controller.abort(reason);
  return { outcome: await outcome, asked: server.requests.map(routeOf), upstream, server };
}

describe.each(GIVES_UP)('%o', (reason) => {
  test.each(MAKING)('%s: the response is cancelled before the Outcome is told', async (_, given) => {
    const { outcome, asked, server, upstream } = await stopDuring(given, reason);
    expect(outcome).toMatchObject({
      kind: reason.kind === 'cancelled' ? 'cancelled' : 'failed',
      possiblyBilled: true,
      upstreamId: 'resp_1',
    });
    expect(asked.filter((route) => route === 'cancel')).toHaveLength(1);
    expect(server.requests.at(-1)).toMatchObject({ method: 'POST', path: '/v1/responses/resp_1/cancel' });
    await until('no connection runs', () => upstream.stats().running === 0);
  });

  test('over a simulator: the bill stops where it is', async () => {
    const { call, simulator, started } = await openSimulated({ tokensPerSecond: 20 });
    const controller = new AbortController();
    const calling = call('Tell me a long story', { signal: controller.signal });
    await until('some of it is read', () => (started[0]?.sequence ?? 0) > 5);
    controller.abort(reason);
    const { upstreamId } = await calling;
    expect(simulator.ledger()).toMatchObject([{ id: upstreamId, outcome: 'cancelled', delivered: false }]);
    expect(simulator.stats().inFlight).toBe(0);
  });

  test('before the id is known: it is waited for, so that the response can be cancelled', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { call, server } = await open(
      routes({
        create: (socket, request) => void promise.then(() => stream([opening], false)(socket, request)),
        cancel: cancelled,
      }),
      ON,
    );
    const controller = new AbortController();
    const calling = call({ signal: controller.signal, background: silent });
    await until('it is asked for', () => server.requests.length === 1);
    controller.abort(reason);
    setImmediate(resolve);
    expect(await calling).toMatchObject({ possiblyBilled: true, upstreamId: 'resp_1' });
    expect(server.requests.map(routeOf)).toEqual(['create', 'cancel']);
  });

  test('of a re-attachment that has not begun cancels the response all the same', async () => {
    const { reattach, server } = await open(routes({ cancel: cancelled }));
    expect(await reattach({ signal: AbortSignal.abort(reason) })).toMatchObject({ possiblyBilled: true });
    expect(server.requests.map(routeOf)).toEqual(['cancel']);
  });
});

describe.each(HANDS_OVER)('%o', (reason) => {
  test.each(MAKING)('%s: the response is never cancelled, and the Outcome says how to go on', async (_, given) => {
    const { outcome, asked } = await stopDuring(given, reason);
    const startingAfter = given.create === queued ? null : 1;
    expect(outcome).toEqual({
      kind: 'interrupted',
      reason: reason.kind,
      possiblyBilled: false,
      upstreamId: 'resp_1',
      reattach: { upstreamId: 'resp_1', startingAfter },
    });
    expect(asked).not.toContain('cancel');
  });

  test('over a simulator: the response is made to its end', async () => {
    const { call, simulator, started, another, reattach } = await openSimulated({ tokensPerSecond: 200 });
    const controller = new AbortController();
    const calling = call('Tell me a story', { signal: controller.signal });
    await until('some of it is read', () => (started[0]?.sequence ?? 0) > 5);
    controller.abort(reason);
    const { upstreamId = '' } = await calling;
    expect(await reattach(another(), { upstreamId })).toMatchObject({ kind: 'completed' });
    expect(simulator.ledger()).toMatchObject([{ id: upstreamId, outcome: 'completed', delivered: true }]);
  });

  test('of a re-attachment that has not begun sends nothing', async () => {
    const { reattach, server } = await open(nothing);
    expect(await reattach({ signal: AbortSignal.abort(reason), startingAfter: 4 })).toMatchObject({
      kind: 'interrupted',
      possiblyBilled: false,
      reattach: { upstreamId: 'resp_1', startingAfter: 4 },
    });
    expect(server.requests).toEqual([]);
  });
});

test('an upstream that does not cancel holds the Outcome up for a bounded time', async () => {
  const { outcome, asked } = await stopDuring(
    { create: stream([opening, second], false), cancel: nothing },
    { kind: 'cancelled' },
  );
  expect(outcome).toEqual({ kind: 'cancelled', possiblyBilled: true, upstreamId: 'resp_1' });
  expect(asked).toEqual(['create', 'cancel']);
});

test('a shutdown waits a moment for the id, which saves the answer; without it the call may have been billed', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const late: Behaviour = (socket, request) => void promise.then(() => stream([opening], false)(socket, request));
  for (const [create, expected] of [
    [late, { possiblyBilled: false, reattach: { upstreamId: 'resp_1', startingAfter: 0 } }],
    [nothing, { possiblyBilled: true }],
  ] satisfies [Behaviour, object][]) {
    const { call, server } = await open(create, ON);
    const controller = new AbortController();
    const calling = call({ signal: controller.signal, background: silent });
    await until('it is asked for', () => server.requests.length === 1);
    controller.abort({ kind: 'shutdown' });
    setImmediate(resolve);
    const outcome = await calling;
    expect(outcome).toMatchObject({ kind: 'interrupted', ...expected });
    expect('reattach' in outcome).toBe('reattach' in expected);
  }
});

test('a stop does not wait for the pause between two tries to end', async () => {
  const { reattach, server, upstream } = await open(answer(503, '', { 'retry-after': '5' }));
  const controller = new AbortController();
  const attached = reattach({ signal: controller.signal });
  await until('it was refused', () => server.requests.length === 1 && upstream.stats().running === 0);
  const before = performance.now();
  controller.abort({ kind: 'shutdown' });
  expect(await attached).toMatchObject({ kind: 'interrupted', possiblyBilled: false });
  expect(performance.now() - before).toBeLessThan(3000);
  expect(server.requests).toHaveLength(1);
});

test('a job that went to another worker does not wait for the id', async () => {
  const { call, server } = await open(nothing, ON);
  const controller = new AbortController();
  const calling = call({ signal: controller.signal, background: silent });
  await until('it is asked for', () => server.requests.length === 1);
  const before = performance.now();
  controller.abort({ kind: 'lost' });
  expect(await calling).toMatchObject({ kind: 'interrupted', reason: 'lost', possiblyBilled: true });
  // Far below the second that a shutdown would wait.
  expect(performance.now() - before).toBeLessThan(900);
});

test('before anything is sent, nothing is waited for, cancelled or billed', async () => {
  for (const reason of [...GIVES_UP, ...HANDS_OVER]) {
    const { call, server } = await open(nothing, ON);
    const controller = new AbortController();
    const calling = call({ signal: controller.signal, background: silent });
    controller.abort(reason);
    expect(await calling).toMatchObject({ possiblyBilled: false });
    expect(server.requests).toEqual([]);
  }
});

test('a stop after a refusal of the background does not make the direct call', async () => {
  const controller = new AbortController();
  const { call, server } = await open((socket, request) => {
    controller.abort({ kind: 'cancelled' });
    // Only once the call has heard of it: it waits for an answer that may name an id.
    setImmediate(() => answer(400, '{"error":{"message":"background?"}}')(socket, request));
  }, ON);
  expect(await call({ signal: controller.signal, background: silent })).toEqual({
    kind: 'cancelled',
    possiblyBilled: false,
  });
  expect(server.requests).toHaveLength(1);
});

test('a stop of the direct call after such a refusal waits for no id', async () => {
  const refusal = answer(400, '{"error":{"message":"background?"}}');
  const { call, server } = await open(inTurn(refusal, nothing), ON);
  const controller = new AbortController();
  const calling = call({ signal: controller.signal, background: silent });
  await until('it goes direct', () => server.requests.length === 2);
  const before = performance.now();
  controller.abort({ kind: 'cancelled' });
  expect(await calling).toEqual({ kind: 'cancelled', possiblyBilled: true });
  expect(performance.now() - before).toBeLessThan(900);
});

test('the time of the call is up: the response is left to the next attempt', async () => {
  const { call, server } = await open(stream([opening, second], false), ON);
  expect(await call({ timeoutMs: 100, background: silent })).toMatchObject({
    kind: 'retry',
    reason: 'timeout',
    countsAsAttempt: true,
    possiblyBilled: false,
    reattach: { upstreamId: 'resp_1', startingAfter: 1 },
  });
  expect(server.requests).toHaveLength(1);
});

test('the time is up before the id is known: nobody can say whether it is billed', async () => {
  const { call } = await open(nothing, ON);
  const outcome = await call({ timeoutMs: 50, background: silent });
  expect(outcome).toMatchObject({ kind: 'retry', reason: 'timeout', possiblyBilled: true });
  expect('reattach' in outcome).toBe(false);
});

test('closing the upstream leaves every background response to be re-attached to', async () => {
  const { call, server, upstream } = await open(stream([opening, second], false), ON);
  let started = 0;
  const onStarted = (): void => {
    started++;
  };
  const calls = [call({ background: { onStarted } }), call({ background: { onStarted } })];
  await until('both have started', () => started === 2);
  await upstream.close();
  for (const outcome of await Promise.all(calls)) {
    expect(outcome).toMatchObject({ kind: 'interrupted', possiblyBilled: false, reattach: { upstreamId: 'resp_1' } });
  }
  expect(server.requests.map(routeOf)).toEqual(['create', 'create']);
});
