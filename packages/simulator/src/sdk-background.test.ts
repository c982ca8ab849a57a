import OpenAI from 'openai';
import type { ResponseStreamEvent } from 'openai/resources/responses/responses';
import { afterEach, expect, test, vi } from 'vitest';
import { type Simulator, type SimulatorOptions, startSimulator } from './index.ts';

const open: Simulator[] = [];

async function start(options: SimulatorOptions = {}) {
  const simulator = await startSimulator(options);
  open.push(simulator);
  return { simulator, client: new OpenAI({ apiKey: 'any', baseURL: simulator.url, maxRetries: 0 }) };
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((simulator) => simulator.close()));
});

async function collect(stream: AsyncIterable<ResponseStreamEvent>): Promise<ResponseStreamEvent[]> {
  const events: ResponseStreamEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

function typesOf(events: ResponseStreamEvent[]): string[] {
  return events
    .map(({ type }) => type)
    .filter((type, index, all) => !type.endsWith('.delta') || type !== all[index - 1]);
}

test('a background call is queued, then in progress, then completed, and billed once', async () => {
  const { client, simulator } = await start();
  const slow = await client.responses.create({ model: 'gpt-5', input: 'Wait [[slow:60000]]', background: true });
  expect(slow).toMatchObject({ status: 'queued', background: true, output: [], usage: null });
  await vi.waitFor(async () => expect((await client.responses.retrieve(slow.id)).status).toBe('in_progress'));
  expect(simulator.ledger()).toEqual([]);
  const created = await client.responses.create({ model: 'gpt-5', input: 'Later', background: true });
  expect(created.status).toBe('queued');
  const done = await vi.waitFor(async () => {
    const now = await client.responses.retrieve(created.id);
    expect(now.status).toBe('completed');
    return now;
  });
  expect(done.output_text).toMatch(/^Later/);
  const billed = { id: created.id, background: true, delivered: true, output_tokens: done.usage?.output_tokens };
  await vi.waitFor(() => expect(simulator.ledger()).toMatchObject([billed]));
  expect(simulator.stats()).toMatchObject({ billed: 1, delivered: 1, inFlight: 1, maxInFlight: 2 });
});

test('a background stream starts queued, survives its connection and resumes after any event, while it runs and later', async () => {
  const { client, simulator } = await start({ tokensPerSecond: 60 });
  const stream = await client.responses.create({ model: 'gpt-5', input: 'Long story', background: true, stream: true });
  const seen: ResponseStreamEvent[] = [];
  for await (const event of stream) {
    seen.push(event);
    if (event.type === 'response.output_text.delta') break;
  }
  const created = seen[0];
  if (created?.type !== 'response.created') throw new Error('no response.created');
  expect(typesOf(seen).slice(0, 3)).toEqual(['response.created', 'response.queued', 'response.in_progress']);
  const { id } = created.response;
  expect((await client.responses.retrieve(id)).status).toBe('in_progress');
  const after = seen.at(-1)?.sequence_number ?? 0;
  const rest = await collect(await client.responses.retrieve(id, { stream: true, starting_after: after }));
  expect([...seen, ...rest].map(({ sequence_number }) => sequence_number)).toEqual(
    [...seen, ...rest].map((_, index) => index),
  );
  expect(rest.at(-1)?.type).toBe('response.completed');
  const replay = await collect(await client.responses.retrieve(id, { stream: true }));
  expect(replay).toEqual([...seen, ...rest]);
  expect(
    await collect(await client.responses.retrieve(id, { stream: true, starting_after: replay.length - 1 })),
  ).toEqual([]);
  await vi.waitFor(() => expect(simulator.ledger()).toMatchObject([{ id, delivered: true }]));
});

test('a cancelled background call stops where it is, is billed for that, and stays cancelled', async () => {
  const { client, simulator } = await start({ tokensPerSecond: 20 });
  const stream = await client.responses.create({ model: 'gpt-5', input: 'Stop me', background: true, stream: true });
  const events: ResponseStreamEvent[] = [];
  for await (const event of stream) {
    events.push(event);
    if (event.type === 'response.output_text.delta' && events.length === 8) {
      const created = events[0];
      if (created?.type === 'response.created') await client.responses.cancel(created.response.id);
    }
  }
  const [entry] = simulator.ledger();
  const whole = await client.responses.create({ model: 'gpt-5', input: 'Stop me' });
  expect(entry).toMatchObject({ outcome: 'cancelled', delivered: false });
  expect(entry?.output_tokens).toBeGreaterThan(0);
  expect(entry?.output_tokens).toBeLessThan(whole.usage?.output_tokens ?? 0);
  expect(events.at(-1)?.type).toBe('response.output_text.delta');
  const again = await client.responses.cancel(entry?.id ?? '');
  expect(again).toMatchObject({ status: 'cancelled', output: [] });
  expect(simulator.ledger().filter(({ background }) => background)).toHaveLength(1);
  expect(await collect(await client.responses.retrieve(again.id, { stream: true }))).toEqual(events);
});

test('what was not called in the background cannot be cancelled; what has completed stays so', async () => {
  const { client } = await start();
  const plain = await client.responses.create({ model: 'gpt-5', input: 'Hi' });
  await expect(client.responses.cancel(plain.id)).rejects.toThrow('Cannot cancel a synchronous response.');
  const created = await client.responses.create({ model: 'gpt-5', input: 'Hi', background: true });
  await vi.waitFor(async () => expect((await client.responses.retrieve(created.id)).status).toBe('completed'));
  expect((await client.responses.cancel(created.id)).status).toBe('completed');
});

test('a response that is gone is made and billed, and found by nobody', async () => {
  const { client, simulator } = await start();
  const { id } = await client.responses.create({ model: 'gpt-5', input: '[[fault:gone]]', background: true });
  await vi.waitFor(() => expect(simulator.ledger()).toMatchObject([{ id, outcome: 'completed', delivered: false }]));
  await expect(client.responses.retrieve(id)).rejects.toMatchObject({ status: 404 });
  await expect(client.responses.retrieve(id, { stream: true })).rejects.toMatchObject({ status: 404 });
  await expect(client.responses.cancel(id)).rejects.toMatchObject({ status: 404 });
});

test('an unreadable response fails as many retrieves as asked, then it is there', async () => {
  const { client } = await start();
  const input = '[[fault:unreadable times=2]]';
  const { id } = await client.responses.create({ model: 'gpt-5', input, background: true });
  await expect(client.responses.retrieve(id, { stream: true })).rejects.toMatchObject({ status: 500 });
  await expect(client.responses.retrieve(id)).rejects.toMatchObject({ status: 500 });
  expect((await client.responses.retrieve(id)).id).toBe(id);
});

test('a queued response stays so, whatever else ends, and costs no output once it is cancelled', async () => {
  const { client, simulator } = await start();
  const { id } = await client.responses.create({ model: 'gpt-5', input: '[[fault:queued]]', background: true });
  const other = await client.responses.create({ model: 'gpt-5', input: 'Hi [[slow:60000]]', background: true });
  await vi.waitFor(async () => expect((await client.responses.retrieve(other.id)).status).toBe('in_progress'));
  simulator.finish();
  expect((await client.responses.retrieve(other.id)).status).toBe('completed');
  expect((await client.responses.retrieve(id)).status).toBe('queued');
  expect((await client.responses.cancel(id)).status).toBe('cancelled');
  expect(simulator.ledger().find((entry) => entry.id === id)).toMatchObject({ outcome: 'cancelled', output_tokens: 0 });
});

test('a call is billed though its client left before the answer', async () => {
  const { client, simulator } = await start({ latencyMs: 60_000 });
  const leaving = new AbortController();
  const call = client.responses.create({ model: 'gpt-5', input: 'Bye' }, { signal: leaving.signal });
  await vi.waitFor(() => expect(simulator.stats().inFlight).toBe(1));
  leaving.abort();
  await expect(call).rejects.toThrow();
  await vi.waitFor(() => expect(simulator.ledger()).toMatchObject([{ outcome: 'completed', delivered: false }]));
  expect(simulator.stats()).toMatchObject({ inFlight: 0, delivered: 0, billed: 1 });
});

test('closing ends running calls, and the port is free again', async () => {
  const { client, simulator } = await start({ latencyMs: 60_000 });
  const waiting = client.responses.create({ model: 'gpt-5', input: 'Hi' }).catch((error: unknown) => error);
  await client.responses.create({ model: 'gpt-5', input: 'Hi', background: true });
  await vi.waitFor(() => expect(simulator.stats().inFlight).toBe(2));
  await simulator.close();
  await simulator.close();
  expect(await waiting).toBeInstanceOf(Error);
  expect(
    simulator
      .ledger()
      .map(({ outcome }) => outcome)
      .toSorted(),
  ).toEqual(['cancelled', 'completed']);
  const { port } = simulator;
  const second = await startSimulator({ port });
  open.push(second);
  expect(second.port).toBe(port);
});
