import type { Outcome } from '@millrace/core';
import { cancelJob, closeRedis, connectRedis, finishByOutcome, onCancelled, readJob } from '@millrace/queue';
import { Worker } from 'bullmq';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bullPrefix } from '../../../packages/queue/src/keys.ts';
import { openTestStore } from '../../../packages/queue/src/testing/store.ts';
import { begin, COMPLETED, FAILED, RETRY, submitOne } from '../../../packages/queue/src/testing/stored.ts';
import { eventually } from '../../../test/harness/eventually.ts';
import { scriptedRun } from './testing/scripted-run.ts';
import { openWorkshop, type Workshop } from './testing/workshop.ts';

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterEach(() => shop.tidy());
afterAll(() => shop?.close());

const FAST = { backoff: { baseSeconds: 0.001, maxSeconds: 0.002 } };
const answering = (outcome: Outcome) => async (): Promise<Outcome> => outcome;

describe('an Outcome becomes a queue verb', () => {
  it.each<[Outcome['kind'], Outcome, string, string]>([
    ['completed', COMPLETED, 'completed', 'completed'],
    ['incomplete', { ...COMPLETED, kind: 'incomplete', reason: 'max_output_tokens' }, 'incomplete', 'completed'],
    ['cancelled', { kind: 'cancelled', possiblyBilled: true }, 'cancelled', 'completed'],
    ['failed', FAILED, 'failed', 'failed'],
  ])('%s ends the job on the record and in BullMQ', async (_, outcome, status, entry) => {
    shop.start({ run: answering(outcome) });
    const id = await submitOne(shop.store);
    await eventually('BullMQ has ended its entry', async () => (await shop.entry(id)) === entry);
    expect(await shop.job(id)).toMatchObject({ status, attempts: [{ number: 1, worker: 'w', outcome: outcome.kind }] });
  });

  it('BullMQ keeps a word for the answer, never the answer; and of a failure its code and message', async () => {
    shop.start({ run: answering(COMPLETED) });
    const id = await submitOne(shop.store);
    await eventually('it is completed', async () => (await shop.entry(id)) === 'completed');
    expect((await shop.queue.bull.getJob(id))?.returnvalue).toBe('completed');
    expect((await readJob(shop.store, id))?.answer?.output_text).toBe('an answer');
    await shop.tidy();

    shop.start({ run: answering(FAILED) });
    const failed = await submitOne(shop.store);
    await eventually('it is failed', async () => (await shop.entry(failed)) === 'failed');
    expect((await shop.queue.bull.getJob(failed))?.failedReason).toBe('bad: a refusal');
  });

  it('retry waits at least as long as the upstream asked for, out of everybody’s way', async () => {
    shop.start({ run: answering({ ...RETRY, afterMs: 60_000 }), settings: FAST });
    const id = await submitOne(shop.store);
    await eventually('BullMQ has put it aside', async () => (await shop.entry(id)) === 'delayed');
    const job = await shop.job(id);
    expect(job).toMatchObject({ status: 'queued', attempts: [{ outcome: 'retry', counted: true }] });
    const waits = (job.delayed_until ?? 0) - (job.attempts[0]?.finished_at ?? 0);
    expect(waits).toBeGreaterThanOrEqual(60_000);
    expect(waits).toBeLessThan(60_010);
  });

  it('retries until the attempts are used up, then fails with the last error', async () => {
    let calls = 0;
    shop.start({
      run: async () => ({ ...RETRY, error: { code: 'server_error', message: `hiccup ${++calls}` } }),
      settings: { ...FAST, attempts: 3 },
    });
    const id = await submitOne(shop.store);
    const job = await shop.jobOnce(id, 'it has failed', ({ status }) => status === 'failed');
    expect(calls).toBe(3);
    expect(job.error).toEqual({ code: 'server_error', message: 'hiccup 3' });
    expect(job.attempts.map(({ outcome, counted }) => [outcome, counted])).toEqual([
      ['retry', true],
      ['retry', true],
      ['failed', true],
    ]);
  });

  it('a retry that does not count uses none of them up', async () => {
    let calls = 0;
    shop.start({
      run: async () => (++calls < 5 ? { ...RETRY, countsAsAttempt: false } : COMPLETED),
      settings: { ...FAST, attempts: 1 },
    });
    const id = await submitOne(shop.store);
    await shop.jobOnce(id, 'it is completed', ({ status }) => status === 'completed');
    expect(calls).toBe(5);
  });

  it('nor does it go on for ever: after two hundred attempts every one counts', async () => {
    let calls = 0;
    shop.start({
      run: async () => {
        calls++;
        return { ...RETRY, reason: 'conflict', countsAsAttempt: false };
      },
      settings: { ...FAST, attempts: 3 },
    });
    const id = await submitOne(shop.store);
    const job = await shop.jobOnce(id, 'it has failed', ({ status }) => status === 'failed');
    expect(calls).toBe(202);
    expect(job.attempts.filter(({ counted }) => counted)).toHaveLength(3);
  });

  it('a fault of ours is tried again, and bounded like any failure', async () => {
    let calls = 0;
    shop.start({
      run: async () => {
        calls++;
        throw new TypeError('a bug');
      },
      settings: { ...FAST, attempts: 2 },
    });
    const id = await submitOne(shop.store);
    const job = await shop.jobOnce(id, 'it has failed', ({ status }) => status === 'failed');
    expect([calls, job.error?.code]).toEqual([2, 'internal_error']);
  });
});

describe('what is not run', () => {
  it('a job that ended while its entry waited', async () => {
    const scripted = scriptedRun();
    const id = await submitOne(shop.store);
    const { epoch } = await begin(shop.store, id);
    await finishByOutcome(shop.store, shop.queue, id, epoch, COMPLETED);
    shop.start(scripted);
    await eventually('its entry has ended', async () => (await shop.entry(id)) === 'completed');
    expect(scripted.started).toEqual([]);
  });

  it('a job that is gone', async () => {
    const scripted = scriptedRun();
    const id = await submitOne(shop.store);
    await shop.store.redis.del(shop.queue.keys.job(id));
    shop.start(scripted);
    await eventually('its entry has ended', async () => (await shop.entry(id)) === 'completed');
    expect(scripted.started).toEqual([]);
  });

  it('a job past its deadline: it fails, on the record and in BullMQ', async () => {
    const scripted = scriptedRun();
    shop.start(scripted);
    const id = await submitOne(shop.store, { deadline: 1 });
    await eventually('its entry has ended', async () => (await shop.entry(id)) === 'failed');
    expect(await shop.job(id)).toMatchObject({ status: 'failed', error: { code: 'deadline_exceeded' }, attempts: [] });
    expect(scripted.started).toEqual([]);
  });

  it('a job that a worker whose clock is ahead took too early: it goes back until its time', async () => {
    const scripted = scriptedRun();
    const id = await submitOne(shop.store);
    await shop.store.redis.hset(shop.queue.keys.job(id), 'delayed_until', Date.now() + 60_000);
    shop.start(scripted);
    await eventually('BullMQ has put it aside', async () => (await shop.entry(id)) === 'delayed');
    expect(scripted.started).toEqual([]);
    expect((await shop.job(id)).attempts).toEqual([]);
  });

  it('a job whose stored request cannot be read: it fails', async () => {
    const scripted = scriptedRun();
    const id = await submitOne(shop.store);
    await shop.store.redis.hset(shop.queue.keys.job(id), 'body', '{"cut');
    shop.start(scripted);
    const job = await shop.jobOnce(id, 'it has failed', ({ status }) => status === 'failed');
    expect(job.error?.code).toBe('damaged_record');
    expect(scripted.started).toEqual([]);
  });
});

describe('stopping', () => {
  it('gives back what the grace is too short for: at once, unused, and to an idle peer within a second', async () => {
    const [leaving, staying] = [scriptedRun(), scriptedRun()];
    const first = shop.start({ ...leaving, worker: 'first', settings: { attempts: 1 } });
    const id = await submitOne(shop.store);
    await leaving.nth(0);
    shop.start({ ...staying, worker: 'second', settings: { attempts: 1 } });
    await eventually('the second is idle', async () =>
      String(await shop.store.redis.client('LIST')).includes('cmd=bzpopmin'),
    );
    await first.drain(50);
    const again = await staying.nth(0);
    again.end(COMPLETED);
    const job = await shop.jobOnce(id, 'it is completed', ({ status }) => status === 'completed');
    expect(job.attempts).toMatchObject([
      { worker: 'first', outcome: 'interrupted', reason: 'shutdown', counted: false, possibly_billed: true },
      { worker: 'second', outcome: 'completed' },
    ]);
    const [given, taken] = job.attempts;
    expect((taken?.started_at ?? 0) - (given?.finished_at ?? 0)).toBeLessThan(1000);
  });

  it('lets what ends within the grace end, and takes nothing new', async () => {
    const scripted = scriptedRun();
    const runner = shop.start({ ...scripted, settings: { concurrency: 1 } });
    const [quick, waiting] = [await submitOne(shop.store), await submitOne(shop.store)];
    const attempt = await scripted.nth(0);
    const drained = runner.drain(20_000);
    attempt.end(COMPLETED);
    await drained;
    expect((await shop.job(quick)).status).toBe('completed');
    expect(await shop.entry(quick)).toBe('completed');
    expect((await shop.job(waiting)).attempts).toEqual([]);
    expect(runner.inFlight()).toBe(0);
  });

  it('is quick when nothing runs', async () => {
    const runner = shop.start(scriptedRun());
    const began = performance.now();
    await runner.drain(20_000);
    expect(performance.now() - began).toBeLessThan(3000);
  });
});

describe('a job that is cancelled while it runs', () => {
  it('is stopped where it runs, and stays cancelled whatever its call comes to', async () => {
    const scripted = scriptedRun();
    const runner = shop.start(scripted);
    const subscriber = connectRedis(shop.redis.url, 'patient', () => undefined);
    await onCancelled(subscriber, runner.cancel);
    const id = await submitOne(shop.store);
    const attempt = await scripted.nth(0);
    await cancelJob(shop.store, id);
    await eventually('the attempt is told', () => attempt.input.controller.signal.aborted);
    await eventually('its entry has ended', async () => (await shop.entry(id)) === 'completed');
    expect(await shop.job(id)).toMatchObject({
      status: 'cancelled',
      attempts: [{ outcome: 'cancelled', possibly_billed: true }],
    });
    expect(await submitOne(shop.store)).not.toBe(id);
    await scripted.nth(1);
    await closeRedis(subscriber);
  });

  it('whose answer came at the same moment is still cancelled', async () => {
    const scripted = scriptedRun();
    shop.start(scripted);
    const id = await submitOne(shop.store);
    const attempt = await scripted.nth(0);
    await cancelJob(shop.store, id);
    attempt.end(COMPLETED);
    await eventually('its entry has ended', async () => (await shop.entry(id)) === 'completed');
    expect((await readJob(shop.store, id))?.answer).toBeNull();
    expect((await shop.queue.bull.getJob(id))?.returnvalue).toBe('terminal');
  });
});

describe('a job whose worker is gone', () => {
  /** A BullMQ worker that takes a job, never renews its lock, and dies. */
  async function takeAndDie(lockDuration: number): Promise<void> {
    const dead = new Worker(shop.queue.name, null, {
      connection: shop.store.redis,
      prefix: bullPrefix(shop.queue.name),
      lockDuration,
    });
    dead.on('error', () => undefined);
    const taken = await dead.getNextJob('dead:1');
    expect(taken?.id).toBeDefined();
    await begin(shop.store, taken?.id ?? '');
    await dead.close(true);
  }

  it('is taken back when its lock has run out, and its attempt closed as lost', async () => {
    const id = await submitOne(shop.store);
    await takeAndDie(500);
    const scripted = scriptedRun();
    shop.start({ ...scripted, lockMs: 500 });
    (await scripted.nth(0)).end(COMPLETED);
    const job = await shop.jobOnce(id, 'it is completed', ({ status }) => status === 'completed');
    expect(job.attempts).toMatchObject([
      { outcome: 'interrupted', reason: 'lost', possibly_billed: true },
      { number: 2, outcome: 'completed' },
    ]);
  });

  it('and which its worker gives up by itself says so in its log', async () => {
    const id = await submitOne(shop.store);
    const scripted = scriptedRun();
    shop.start(scripted);
    (await scripted.nth(0)).end({ kind: 'interrupted', reason: 'lost', possiblyBilled: true });
    (await scripted.nth(1)).end(COMPLETED);
    const job = await shop.jobOnce(id, 'it is completed', ({ status }) => status === 'completed');
    expect(job.attempts[0]?.log).toMatchObject([{ level: 'warn', text: expect.stringContaining('no longer held it') }]);
  });

  it('and whose paid answer comes after all ends by that, and the second call is stopped', async () => {
    const id = await submitOne(shop.store);
    const lost = await begin(shop.store, id);
    const scripted = scriptedRun();
    const runner = shop.start(scripted);
    const subscriber = connectRedis(shop.redis.url, 'patient', () => undefined);
    await onCancelled(subscriber, runner.cancel);
    const second = await scripted.nth(0);
    await finishByOutcome(shop.store, shop.queue, id, lost.epoch, COMPLETED);
    await eventually('the second call is stopped', () => second.input.controller.signal.aborted);
    await eventually('its entry has ended', async () => (await shop.entry(id)) === 'completed');
    expect(await shop.job(id)).toMatchObject({
      status: 'completed',
      attempts: [{ outcome: 'completed' }, { outcome: 'interrupted', reason: 'lost', possibly_billed: true }],
    });
    await closeRedis(subscriber);
  });
});

it('a job that lives keeps its lock, however long it runs', async () => {
  const scripted = scriptedRun();
  for (const worker of ['first', 'second']) shop.start({ ...scripted, lockMs: 400, worker });
  const id = await submitOne(shop.store);
  const attempt = await scripted.nth(0);
  const lockKey = `${shop.queue.bull.toKey(id)}:lock`;
  const token = await shop.store.redis.get(lockKey);
  const [began] = await shop.store.redis.time();
  await eventually(
    'several locks’ time has passed',
    async () => Number((await shop.store.redis.time())[0]) >= Number(began) + 3,
  );
  expect(await shop.store.redis.get(lockKey)).toBe(token);
  attempt.end(COMPLETED);
  const job = await shop.jobOnce(id, 'it is completed', ({ status }) => status === 'completed');
  expect(job.attempts).toHaveLength(1);
});

it('a Redis that refuses is asked now and then, not as fast as it can refuse, and served again when it does not', async () => {
  const { redis } = shop.store;
  await redis.call('ACL', 'SETUSER', 'worker', 'on', '>secret', '~*', '&*', '+@all', '-evalsha', '-eval');
  const own = await openTestStore(shop.redis.url.replace('redis://', 'redis://worker:secret@'));
  const scripted = scriptedRun();
  const id = await submitOne(shop.store);
  const refusals = async (): Promise<number> => {
    const stats = (await redis.info('commandstats')).matchAll(/cmdstat_eval(?:sha)?:.*rejected_calls=(\d+)/g);
    return [...stats].reduce((sum, [, calls]) => sum + Number(calls), 0);
  };
  const runner = shop.start({ ...scripted, store: own });
  await eventually('it is refused', async () => (await refusals()) > 0);
  const [began, before] = [Number((await redis.time())[0]), await refusals()];
  await eventually('two seconds have passed', async () => Number((await redis.time())[0]) >= began + 2);
  expect((await refusals()) - before).toBeLessThan(40);
  await redis.call('ACL', 'SETUSER', 'worker', '+evalsha', '+eval');
  (await scripted.nth(0)).end(COMPLETED);
  await shop.jobOnce(id, 'it is completed', ({ status }) => status === 'completed');
  await runner.drain(1000);
  await own.close();
  await redis.call('ACL', 'DELUSER', 'worker');
});
