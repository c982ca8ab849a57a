import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../test/harness/eventually.ts';
import { freshRedis, type TestRedis } from '../../../test/harness/redis.ts';
import { beginAttempt, finishByOutcome, settleAttempt } from './attempt.ts';
import { cancelJob, onCancelled } from './cancel.ts';
import { closeRedis, connectRedis } from './connect.ts';
import { readCounters } from './queues.ts';
import { readJob } from './read.ts';
import type { Store } from './store.ts';
import { type LossyProxy, lossyProxy } from './testing/lossy-proxy.ts';
import { openTestStore } from './testing/store.ts';
import { begin, COMPLETED, FAILED, queueOf, RETRY, submitOne } from './testing/stored.ts';

let redis: TestRedis;
let store: Store;

beforeAll(async () => {
  redis = await freshRedis();
  store = await openTestStore(redis.url);
});
beforeEach(() => store.redis.flushall());
afterAll(async () => {
  await store?.close();
  await redis?.dispose();
});

const counter = async (name: string): Promise<number> => (await readCounters(store)).get('generate')?.get(name) ?? 0;

it('an attempt hands out the request, and is on the record before anything is sent', async () => {
  const id = await submitOne(store, { body: { input: 'Grüße, 世界' }, deadline: 4_000_000_000_000 });
  const begun = await begin(store, id);
  expect(begun).toMatchObject({ epoch: 1, counted: 0, type: 'generate', model: 'test-model', deadline: 4e12 });
  expect(begun.body).toEqual({ input: 'Grüße, 世界' });
  expect((await readJob(store, id))?.job).toMatchObject({
    status: 'in_progress',
    started_at: begun.startedAt,
    attempts: [{ number: 1, worker: 'test-worker', outcome: null, finished_at: null }],
  });
});

it('a request that cannot be read any more is not sent as something else', async () => {
  const id = await submitOne(store);
  await store.redis.hset(queueOf(store).keys.job(id), 'body', '{"input": "cut o');
  expect(await beginAttempt(store, queueOf(store), id, { worker: 'w' })).toEqual({
    kind: 'damaged',
    epoch: 1,
    counted: 0,
  });
});

it('a job that is not due yet does not begin, but for the slack between two clocks', async () => {
  const id = await submitOne(store, { delayMs: 3_600_000 });
  expect(await beginAttempt(store, queueOf(store), id, { worker: 'w' })).toMatchObject({ kind: 'early' });
  const [seconds, micros] = await store.redis.time();
  const soon = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000) + 20;
  await store.redis.hset(queueOf(store).keys.job(id), 'delayed_until', soon);
  expect((await beginAttempt(store, queueOf(store), id, { worker: 'w' })).kind).toBe('begun');
});

it('a second start closes the attempt that was left open as lost and possibly billed', async () => {
  const id = await submitOne(store);
  await begin(store, id);
  await begin(store, id);
  const attempts = (await readJob(store, id))?.job.attempts;
  expect(attempts).toMatchObject([
    {
      ...{ number: 1, outcome: 'interrupted', reason: 'lost', possibly_billed: true, counted: false },
      log: [{ at: attempts?.[0]?.finished_at, text: expect.stringContaining('taken back from a worker that') }],
    },
    { number: 2, outcome: null },
  ]);
  expect(await counter('possibly_billed')).toBe(1);
});

describe('an attempt that was taken for lost', () => {
  it('is refused what it writes about the job', async () => {
    const id = await submitOne(store);
    const old = await begin(store, id);
    const current = await begin(store, id);
    expect(await settleAttempt(store, queueOf(store), id, old.epoch, RETRY, 0)).toBe('stale');
    expect(await finishByOutcome(store, queueOf(store), id, old.epoch, FAILED)).toBe('stale');
    expect((await readJob(store, id))?.job).toMatchObject({ status: 'in_progress', error: null });
    expect(await finishByOutcome(store, queueOf(store), id, current.epoch, FAILED)).toBe('written');
  });

  it('is believed a whole answer: it is paid for. The newer attempt is closed, counted as possibly billed, and told', async () => {
    const id = await submitOne(store);
    const old = await begin(store, id);
    const newer = await begin(store, id);
    const subscriber = connectRedis(redis.url, 'patient', () => undefined);
    const told: string[] = [];
    await onCancelled(subscriber, (cancelled) => told.push(cancelled));

    expect(await finishByOutcome(store, queueOf(store), id, old.epoch, COMPLETED)).toBe('written');
    const found = await readJob(store, id);
    expect(found?.answer?.output_text).toBe('an answer');
    expect(found?.job).toMatchObject({
      status: 'completed',
      attempts: [
        { number: 1, outcome: 'completed', reason: null, possibly_billed: false },
        {
          ...{ number: 2, outcome: 'interrupted', reason: 'lost', possibly_billed: true },
          log: [{ text: expect.stringContaining('called off') }],
        },
      ],
    });
    expect(await counter('possibly_billed')).toBe(1);
    await eventually('the newer attempt’s worker hears of it', () => told.includes(id));
    expect(await finishByOutcome(store, queueOf(store), id, newer.epoch, COMPLETED)).toBe('terminal');
    expect(await finishByOutcome(store, queueOf(store), id, newer.epoch, FAILED)).toBe('terminal');
    await closeRedis(subscriber);
  });

  it('is believed a whole answer while the job waits for its next attempt', async () => {
    const id = await submitOne(store);
    const old = await begin(store, id);
    const newer = await begin(store, id);
    await settleAttempt(store, queueOf(store), id, newer.epoch, RETRY, 3_600_000);
    expect(await finishByOutcome(store, queueOf(store), id, old.epoch, COMPLETED)).toBe('written');
    expect((await readJob(store, id))?.job).toMatchObject({ status: 'completed', delayed_until: null });
    expect((await beginAttempt(store, queueOf(store), id, { worker: 'w' })).kind).toBe('terminal');
  });
});

it('cancelling a job under way closes its attempt as possibly billed, and its answer is refused', async () => {
  const id = await submitOne(store);
  const { epoch } = await begin(store, id);
  await cancelJob(store, id);
  expect(await finishByOutcome(store, queueOf(store), id, epoch, COMPLETED)).toBe('terminal');
  const found = await readJob(store, id);
  expect(found?.answer).toBeNull();
  expect(found?.job).toMatchObject({
    status: 'cancelled',
    attempts: [{ outcome: 'cancelled', possibly_billed: true, counted: false }],
  });
});

it('the answer is stored under its own key', async () => {
  const id = await submitOne(store);
  const { epoch } = await begin(store, id);
  await finishByOutcome(store, queueOf(store), id, epoch, COMPLETED);
  expect(JSON.parse((await store.redis.get(queueOf(store).keys.result(id))) ?? '')).toEqual(COMPLETED.answer);
  expect(Object.values(await store.redis.hgetall(queueOf(store).keys.job(id))).join()).not.toContain('an answer');
});

describe('a reply that is lost with its connection: the command is sent again, and takes effect once', () => {
  let proxy: LossyProxy;
  let through: Store;
  beforeAll(async () => {
    proxy = await lossyProxy(redis.port);
    through = await openTestStore(proxy.url);
    // Known to the server and this connection's successors: what is looked for below is the arguments.
    const id = await submitOne(through);
    const { epoch } = await begin(through, id);
    await settleAttempt(through, queueOf(through), id, epoch, RETRY, 0);
  });
  afterAll(async () => {
    await through?.close();
    await proxy?.close();
  });

  it('begin', async () => {
    const id = await submitOne(store);
    const lost = proxy.loseReplyTo(id);
    const begun = await begin(through, id);
    await lost;
    expect(begun.epoch).toBe(1);
    expect((await readJob(store, id))?.job.attempts).toHaveLength(1);
    expect(await counter('possibly_billed')).toBe(0);
  });

  it('settle', async () => {
    const id = await submitOne(store);
    const { epoch } = await begin(store, id);
    const lost = proxy.loseReplyTo(id);
    expect(await settleAttempt(through, queueOf(through), id, epoch, RETRY, 0)).toBe('written');
    await lost;
    expect((await begin(store, id)).counted).toBe(1);
    expect(await counter('attempts:retry:upstream_error')).toBe(1);
  });

  it('finish', async () => {
    const id = await submitOne(store);
    const { epoch } = await begin(store, id);
    const lost = proxy.loseReplyTo(id);
    expect(await finishByOutcome(through, queueOf(through), id, epoch, COMPLETED)).toBe('written');
    await lost;
    expect(await counter('finished:completed')).toBe(1);
  });

  it('submit', async () => {
    const lost = proxy.loseReplyTo('a prompt to be lost');
    const id = await submitOne(through, { body: { input: 'a prompt to be lost' } });
    await lost;
    expect((await readJob(store, id))?.job.status).toBe('queued');
    expect(await counter('submitted')).toBe(1);
    expect(await queueOf(store).bull.getJobCountByTypes('prioritized')).toBe(1);
  });
});
