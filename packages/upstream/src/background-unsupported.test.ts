/** A server without background, or without streams of it: the call finds another way in the same attempt. */
import { describe, expect, test } from 'vitest';
import { inTurn, queued, stands } from './testing/background-server.ts';
import { answer, type Behaviour, response } from './testing/misbehaving-server.ts';
import { openSimulated } from './testing/open-simulated.ts';
import { run } from './testing/run-background.ts';
import { ok } from './testing/scenario.ts';

describe('a server that does not stream in the background', () => {
  const refusal = answer(400, '{"error":{"message":"stream is not supported with background","param":"stream"}}');
  const create: Behaviour = (socket, request) =>
    (request.body.includes('"stream":true') ? refusal : queued)(socket, request);

  test('and says so is asked plainly, then polled, and billed nothing twice', async () => {
    const told: number[] = [];
    const { outcome, asked, started, server } = await run(
      { create, retrieve: inTurn(queued, stands({ status: 'in_progress' }), stands()) },
      { onHeaders: (status) => told.push(status) },
    );
    expect(outcome).toMatchObject({ kind: 'completed', upstreamId: 'resp_1' });
    expect(asked).toEqual(['create', 'create', 'retrieve', 'retrieve', 'retrieve']);
    expect(JSON.parse(server.requests[1]?.body ?? '')).toEqual({ model: 'm', input: 'x', background: true });
    expect(started).toMatchObject([{ upstreamId: 'resp_1', sequence: null }]);
    expect(told).toEqual([200]);
  });

  test('and knows no background either goes direct, in the same call', async () => {
    const told: number[] = [];
    const neither = answer(400, '{"error":{"message":"Unknown parameter: \'background\'.","param":"background"}}');
    const { outcome, server, upstream } = await run(
      { create: inTurn(refusal, neither, ok(response())) },
      { onHeaders: (status) => told.push(status) },
    );
    expect(outcome).toMatchObject({ kind: 'completed' });
    expect(JSON.parse(server.requests[2]?.body ?? '')).toEqual({ model: 'm', input: 'x' });
    expect([told, upstream.background()]).toEqual([[200], 'no']);
  });

  test('and answers with the response as it stands is polled', async () => {
    const { outcome, asked, started, upstream } = await run({ create: queued, retrieve: stands() });
    expect([outcome.kind, asked, started.length]).toEqual(['completed', ['create', 'retrieve'], 1]);
    expect(upstream.background()).toBe('yes');
  });

  test('and still refuses the plain request for another reason is believed', async () => {
    const { outcome } = await run({ create: inTurn(refusal, answer(400, '{"error":{"message":"Too long."}}')) });
    expect(outcome).toMatchObject({ kind: 'failed', error: { message: 'Too long.' }, possiblyBilled: false });
  });
});

test('a simulator without background answers directly, once, and is billed once', async () => {
  const { call, simulator, upstream, started } = await openSimulated({ background: false });
  expect(await call('Hello')).toMatchObject({ kind: 'completed' });
  expect([upstream.background(), started]).toEqual(['no', []]);
  expect(simulator.ledger()).toMatchObject([{ background: false, delivered: true }]);
  expect(simulator.stats().refused).toBe(1);
});
