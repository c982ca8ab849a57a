/** A call ends when its caller says so, wherever it is, as what the caller said. */
import { describe, expect, test } from 'vitest';
import { type AbortReason, abortKind } from './abort-reason.ts';
import { answer, event, head, response, stream, until } from './testing/misbehaving-server.ts';
import { open } from './testing/open.ts';
import { created, delta, nothing, ok } from './testing/scenario.ts';

const REASONS: [AbortReason, Record<string, unknown>][] = [
  [{ kind: 'cancelled' }, { kind: 'cancelled' }],
  [{ kind: 'shutdown' }, { kind: 'interrupted', reason: 'shutdown' }],
  [{ kind: 'lost' }, { kind: 'interrupted', reason: 'lost' }],
  [
    { kind: 'deadline' },
    { kind: 'failed', reason: 'deadline_exceeded', error: expect.objectContaining({ code: 'deadline_exceeded' }) },
  ],
];

describe.each(REASONS)('%o', (reason, expected) => {
  test('before the call: nothing is sent', async () => {
    const { call, server } = await open(nothing);
    expect(await call({ signal: AbortSignal.abort(reason) })).toMatchObject({ ...expected, possiblyBilled: false });
    expect(server.requests).toEqual([]);
  });

  test('in the very moment of the call: nothing is sent', async () => {
    const { call, server } = await open(nothing);
    const controller = new AbortController();
    const outcome = call({ signal: controller.signal });
    controller.abort(reason);
    expect(await outcome).toMatchObject({ ...expected, possiblyBilled: false });
    expect(server.requests).toEqual([]);
  });

  test('just before the connection stands: it is made, and nothing is sent over it', async () => {
    const { call, server, upstream } = await open(nothing);
    const controller = new AbortController();
    const outcome = call({ signal: controller.signal });
    // Without a turn of the event loop no connection can come to stand.
    for (let turn = 0; turn < 1000 && upstream.stats().pending === 0; turn++) await null;
    expect(upstream.stats().pending).toBe(1);
    controller.abort(reason);
    expect(await outcome).toMatchObject({ ...expected, possiblyBilled: false });
    server.behave(ok(response()));
    expect(await call({ body: { model: 'next' } })).toMatchObject({ kind: 'completed' });
    expect(server.requests.map(({ body }) => JSON.parse(body))).toEqual([{ model: 'next' }]);
  });

  test.each([
    ['while the model works', nothing],
    ['in the middle of a body', (socket) => socket.write(`${head(200, { 'content-length': '100' })}{`)],
    ['in the middle of an error', (socket) => socket.write(`${head(429, { 'content-length': '100' })}{`)],
    ['in the middle of a stream', stream([created, delta], false)],
  ] satisfies [string, Parameters<typeof open>[0]][])('%s: the connection is dropped', async (_, behaviour) => {
    const { call, server, upstream } = await open(behaviour);
    const controller = new AbortController();
    const outcome = call({ signal: controller.signal });
    await until('the request is there', () => server.requests.length === 1);
    controller.abort(reason);
    expect(await outcome).toMatchObject({ ...expected, possiblyBilled: true });
    await until('the connection is gone', () => server.open() === 0 && upstream.stats().running === 0);
  });

  test('while the connection is being made: nothing is sent', async () => {
    const silent = await open(nothing);
    const { call, upstream } = await open(nothing, { baseURL: silent.server.baseURL.replace('http:', 'https:') });
    const controller = new AbortController();
    const outcome = call({ signal: controller.signal });
    await until('the connection is being made', () => silent.server.open() === 1);
    controller.abort(reason);
    expect(await outcome).toMatchObject({ ...expected, possiblyBilled: false });
    expect(upstream.stats().running).toBe(0);
  });

  test('while the first model is being asked for: nothing is sent', async () => {
    const { call, server } = await open(nothing);
    const controller = new AbortController();
    const outcome = call({ signal: controller.signal, body: { input: 'x' } });
    await until('the models are asked for', () => server.requests.length === 1);
    controller.abort(reason);
    expect(await outcome).toMatchObject({ ...expected, possiblyBilled: false });
    expect(server.requests.map(({ method }) => method)).toEqual(['GET']);
  });

  test('after the terminal event of a stream: the answer counts', async () => {
    const { call, server } = await open(
      stream([created, event('response.completed', { response: response() })], false),
    );
    const controller = new AbortController();
    const outcome = call({
      signal: controller.signal,
      stream: true,
      onHeaders: () => setImmediate(() => controller.abort(reason)),
    });
    expect(await outcome).toMatchObject({ kind: 'completed' });
    await until('the connection is gone', () => server.open() === 0);
  });
});

test('a reason that is none of ours gives the job back', async () => {
  for (const reason of [undefined, null, 'cancelled', new Error('x'), { kind: 'toString' }, { kind: 7 }]) {
    expect(abortKind(reason)).toBe('shutdown');
  }
});

test('closing the upstream interrupts what still runs, and takes no more', async () => {
  const { call, server, upstream } = await open(nothing);
  const running = [call(), call({ stream: true })];
  await until('both requests are there', () => server.requests.length === 2);
  await upstream.close();
  for (const outcome of await Promise.all([...running, call()])) {
    expect(outcome).toMatchObject({ kind: 'interrupted', reason: 'shutdown' });
  }
  await upstream.close();
});

test('one call that is stopped leaves its neighbours alone', async () => {
  const { call, server } = await open((socket, request) => {
    if (!request.body.includes('slow')) answer(200, JSON.stringify(response()))(socket, request);
  });
  const controller = new AbortController();
  const slow = call({ body: { model: 'm', input: 'slow' }, signal: controller.signal });
  await until('the slow one is there', () => server.requests.length === 1);
  const quick = Promise.all(Array.from({ length: 20 }, () => call()));
  controller.abort({ kind: 'cancelled' });
  expect((await quick).map(({ kind }) => kind)).toEqual(Array(20).fill('completed'));
  expect(await slow).toMatchObject({ kind: 'cancelled' });
  server.behave(ok(response()));
  expect(await call()).toMatchObject({ kind: 'completed' });
});
