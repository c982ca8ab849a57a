import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { freshRedis, type TestRedis } from '../../../test/harness/redis.ts';
import { cancelJob } from './cancel.ts';
import { changesCursor, readChanges } from './changes.ts';
import { removeJob } from './retention.ts';
import type { Store } from './store.ts';
import { openTestStore } from './testing/store.ts';
import { queueOf, submitOne } from './testing/stored.ts';

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

it('who follows the changes of a queue hears of each job that comes, ends and is forgotten, once and in order', async () => {
  const queue = queueOf(store);
  const first = await submitOne(store);
  const since = await changesCursor(store, queue);
  const second = await submitOne(store);
  await cancelJob(store, first);
  await removeJob(store, queue, first);
  const { changes, cursor, gap } = await readChanges(store, queue, since, 100);
  expect(changes).toEqual([
    { kind: 'submitted', id: second },
    { kind: 'finished', id: first },
    { kind: 'removed', id: first },
  ]);
  expect(gap).toBe(false);
  expect(await readChanges(store, queue, cursor, 100)).toEqual({ changes: [], cursor, gap: false });
});

it('who has fallen behind what is kept is told of the gap', async () => {
  const queue = queueOf(store);
  const cursor = await changesCursor(store, queue);
  await submitOne(store);
  const read = await readChanges(store, queue, cursor, 100);
  await submitOne(store);
  await store.redis.xtrim(queue.keys.changes, 'MAXLEN', 0);
  await submitOne(store);
  expect(await readChanges(store, queue, read.cursor, 100)).toMatchObject({ gap: true });
});
