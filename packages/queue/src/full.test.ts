/** A full Redis takes in nothing new, but everything that was taken in goes on to its end: that is what makes room. */
import { Worker } from 'bullmq';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../../../test/harness/eventually.ts';
import { freshRedis, type TestRedis } from '../../../test/harness/redis.ts';
import { finishByOutcome, settleAttempt } from './attempt.ts';
import { cancelJob } from './cancel.ts';
import { bullPrefix } from './keys.ts';
import { readJob } from './read.ts';
import { expireDeadlines, removeJob } from './retention.ts';
import type { Store } from './store.ts';
import { submit } from './submit.ts';
import { newJob, openTestStore } from './testing/store.ts';
import { begin, COMPLETED, queueOf, RETRY, submitOne } from './testing/stored.ts';

let redis: TestRedis;
let store: Store;
beforeAll(async () => {
  redis = await freshRedis();
  store = await openTestStore(redis.url);
});
afterAll(async () => {
  await store?.close();
  await redis?.dispose();
});

it('begin, settle, finish, cancel, deadline and removal work; so do BullMQ’s moves; only submit is refused', async () => {
  const [answered, cancelled, late, taken] = await Promise.all([
    submitOne(store),
    submitOne(store),
    submitOne(store, { deadline: 1 }),
    submitOne(store, { priority: 0 }),
  ]);
  const queue = queueOf(store);
  await store.redis.config('SET', 'maxmemory', '1mb');
  try {
    expect(await submit(store, [newJob()])).toMatchObject([{ code: 'redis_full' }]);

    const first = await begin(store, answered);
    expect(await settleAttempt(store, queue, answered, first.epoch, RETRY, 0)).toBe('written');
    const second = await begin(store, answered);
    expect(await finishByOutcome(store, queue, answered, second.epoch, COMPLETED)).toBe('written');
    expect((await readJob(store, answered))?.answer).toEqual(COMPLETED.answer);
    expect((await cancelJob(store, cancelled)).job.status).toBe('cancelled');
    await expireDeadlines(store, queue);
    expect((await readJob(store, late))?.job.status).toBe('failed');
    expect(await removeJob(store, queue, late)).toBe(true);

    const moves: string[] = [];
    const worker = new Worker(
      queue.name,
      async (job, token) => {
        moves.push(`${job.id === taken ? 'taken' : 'other'}`);
        if (moves.length === 1) await job.moveToDelayed(Date.now(), token);
        return 'done';
      },
      { connection: store.redis, prefix: bullPrefix(queue.name), drainDelay: 1 },
    );
    worker.on('error', () => undefined);
    await eventually('BullMQ has moved it to its end', async () => (await queue.bull.getJob(taken))?.isCompleted());
    expect(moves.slice(0, 2)).toEqual(['taken', expect.any(String)]);
    await worker.close();
  } finally {
    await store.redis.config('SET', 'maxmemory', '0');
  }
});
