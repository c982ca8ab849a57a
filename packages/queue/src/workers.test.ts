/** Which workers are told of: those whose heartbeat is heard, each with what it said of itself. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { freshRedis, type TestRedis } from '../../../test/harness/redis.ts';
import { queueKeys, workerKey } from './keys.ts';
import { DEAD_AFTER_MS } from './pace-of-life.ts';
import { runScript } from './scripts.ts';
import type { Store } from './store.ts';
import { openTestStore } from './testing/store.ts';
import { readWorkers, tellWorker, type WorkerSelf } from './workers.ts';

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

const SELF: WorkerSelf = { version: '1.2.3', host: 'mill', pid: 7, startedAt: 1000, concurrency: { generate: 10 } };
const beat = async (worker: string, queues = ['generate', 'extract']): Promise<void> => {
  for (const name of queues) {
    const { workers, beats } = queueKeys(name);
    await runScript(store.redis, 'beat', [workers, beats], [worker]);
  }
};
const fail = (error: unknown): never => {
  throw error;
};

it('a worker that is heard is told of with its queues and what it said of itself, until it has stopped telling', async () => {
  const told = await tellWorker(store, 'w1', SELF, fail);
  expect(await readWorkers(store)).toEqual([]);
  await beat('w1');
  await beat('older', ['extract']);
  expect(await readWorkers(store)).toEqual([
    { id: 'older', queues: ['extract'], self: null },
    { id: 'w1', queues: ['generate', 'extract'], self: SELF },
  ]);
  expect(await store.redis.pttl(workerKey('w1'))).toBeGreaterThan(0);
  await told.stop();
  expect(await store.redis.exists(workerKey('w1'))).toBe(0);
});

it('one that fell silent is no longer told of, nor one that was buried; nobody is dead who could not be heard', async () => {
  const { workers, beats } = queueKeys('generate');
  const now = async (): Promise<number> => Number((await store.redis.time())[0]) * 1000;
  await beat('heard', ['generate']);
  await store.redis.zadd(workers, (await now()) - DEAD_AFTER_MS - 2000, 'silent');
  await store.redis.zadd(workers, -(await now()), 'buried');
  // Somebody was heard for a minute.
  await store.redis.hset(beats, 'since', (await now()) - 60_000);
  expect((await readWorkers(store)).map(({ id }) => id)).toEqual(['heard']);
  // Redis has only just come back: the silent one may have had nobody to tell.
  await store.redis.hset(beats, 'since', await now());
  expect((await readWorkers(store)).map(({ id }) => id)).toEqual(['heard', 'silent']);
});
