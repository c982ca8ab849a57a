/** Cancelling a response by its id: bounded, and never an exception. */
import { expect, test } from 'vitest';
import { inTurn, stands } from './testing/background-server.ts';
import { answer, type Behaviour, until } from './testing/misbehaving-server.ts';
import { open } from './testing/open.ts';
import { openSimulated } from './testing/open-simulated.ts';
import { nothing } from './testing/scenario.ts';

test.each([
  ['cancelled', stands({ status: 'cancelled' }), 'cancelled'],
  ['still going, but told', stands({ status: 'in_progress' }), 'cancelled'],
  ['completed before', stands(), 'gone'],
  ['failed before', stands({ status: 'failed' }), 'gone'],
  ['not known', answer(404, '{}'), 'gone'],
  ['deleted', answer(410, ''), 'gone'],
  ['not in the background', answer(400, '{"error":{"message":"Cannot cancel a synchronous response."}}'), 'failed'],
  ['not ours to cancel', answer(403, ''), 'failed'],
  ['another’s', stands({ id: 'resp_2', status: 'cancelled' }), 'failed'],
  ['garbled', answer(200, '{"id":'), 'failed'],
] satisfies [string, Behaviour, string][])('a response that is %s', async (_, behaviour, expected) => {
  const { upstream, server } = await open(behaviour);
  expect(await upstream.cancelResponse('resp_1', 5000)).toBe(expected);
  expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(['POST /v1/responses/resp_1/cancel']);
});

test('what may pass is tried again', async () => {
  const { upstream, server } = await open(
    inTurn(answer(500, ''), (socket) => socket.resetAndDestroy(), stands({ status: 'cancelled' })),
  );
  expect(await upstream.cancelResponse('resp_1', 10_000)).toBe('cancelled');
  expect(server.requests).toHaveLength(3);
});

test.each([
  ['silent', nothing],
  ['failing', answer(500, '')],
  ['resetting', (socket) => socket.resetAndDestroy()],
] satisfies [string, Behaviour][])('an upstream that is %s is given up within the bound', async (_, behaviour) => {
  const { upstream, server } = await open(behaviour);
  const before = performance.now();
  expect(await upstream.cancelResponse('resp_1', 300)).toBe('failed');
  expect(performance.now() - before).toBeLessThan(2000);
  await until('no connection runs', () => upstream.stats().running === 0);
  expect([1, 2]).toContain(server.requests.length);
});

test('an id that can be none, or an upstream that is closed, has failed at once', async () => {
  const { upstream, server } = await open(nothing);
  expect(await upstream.cancelResponse('..', 60_000)).toBe('failed');
  await upstream.close();
  expect(await upstream.cancelResponse('resp_1', 60_000)).toBe('failed');
  expect(server.requests).toEqual([]);
});

test('cancelling twice, or too late, does no harm', async () => {
  const { call, upstream, started, simulator } = await openSimulated({ latencyMs: 60_000 });
  const calling = call('Hello');
  await until('it has started', () => started.length === 1);
  const upstreamId = started[0]?.upstreamId ?? '';
  expect(await upstream.cancelResponse(upstreamId, 5000)).toBe('cancelled');
  expect(await upstream.cancelResponse(upstreamId, 5000)).toBe('cancelled');
  await calling;
  expect(simulator.ledger()).toMatchObject([{ id: upstreamId, outcome: 'cancelled' }]);
  expect(await upstream.cancelResponse('resp_0', 5000)).toBe('gone');
});
