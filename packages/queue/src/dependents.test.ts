/** Who waits for another job's end, and who shares a call: what the scripts say of it, on a real Redis. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { freshRedis, type TestRedis } from '../../../test/harness/redis.ts';
import { finishByOutcome } from './attempt.ts';
import { cancelJob } from './cancel.ts';
import { dependOn, shareCall } from './dependents.ts';
import { removeJob } from './retention.ts';
import type { Store } from './store.ts';
import { openTestStore } from './testing/store.ts';
import { begin, COMPLETED, FAILED, queueOf, submitOne } from './testing/stored.ts';
import { bullPriority } from './ticket.ts';

let redis: TestRedis;
let store: Store;
beforeAll(async () => {
  redis = await freshRedis();
  store = await openTestStore(redis.url, { config: { queues: { generate: { cache: { seconds: 0.0161 } } } } });
});
afterAll(async () => {
  await store.close();
  await redis.dispose();
});
beforeEach(async () => {
  await store.redis.flushall();
});

const share = (id: string, priority = 5) => shareCall(store, queueOf(store), { id, cache: 'same', priority });
const finish = async (id: string, outcome: typeof COMPLETED | typeof FAILED) =>
  finishByOutcome(store, queueOf(store), id, (await begin(store, id)).epoch, outcome);
const keys = async (pattern: string): Promise<string[]> => store.redis.keys(pattern);

it('a job waits for one that has not ended, and for no other; nothing of that is left then', async () => {
  const [first, second] = [await submitOne(store), await submitOne(store)];
  expect(await dependOn(store, first, second)).toBe('waits');
  expect(await keys('*:dependents:*')).toHaveLength(1);
  await finish(first, COMPLETED);
  expect(await dependOn(store, first, second)).toBe('ended');
  expect(await dependOn(store, `resp_${'0'.repeat(48)}`, second)).toBe('missing');
  expect(await keys('*:dependents:*')).toEqual([]);
});

it('a job that is removed leaves nobody waiting for it behind', async () => {
  const [first, second] = [await submitOne(store), await submitOne(store)];
  await dependOn(store, first, second);
  await cancelJob(store, first);
  await removeJob(store, queueOf(store), first);
  expect(await keys('*:dependents:*')).toEqual([]);
});

it('who followed a job gets what it came to, also where answers count for less than a moment', async () => {
  const [first, second, third] = [await submitOne(store), await submitOne(store), await submitOne(store)];
  expect(await share(first)).toEqual({ kind: 'lead' });
  expect(await share(second)).toEqual({ kind: 'follow', leader: first });
  await finish(first, COMPLETED);
  expect(await share(second)).toEqual({ kind: 'answered', leader: first });
  await store.redis.del(queueOf(store).keys.cache('same'));
  expect(await share(third)).toEqual({ kind: 'lead' });
});

it('of those that followed a job that failed one leads; who has followed two such leads for itself', async () => {
  const ids = [];
  for (let i = 0; i < 4; i++) ids.push(await submitOne(store));
  const [first, second, third, fourth] = ids as [string, string, string, string];
  for (const id of ids) await share(id);
  await finish(first, FAILED);
  expect(await share(second)).toEqual({ kind: 'lead' });
  expect(await share(third)).toEqual({ kind: 'follow', leader: second });
  expect(await share(fourth)).toEqual({ kind: 'follow', leader: second });
  await finish(second, FAILED);
  expect(await share(third)).toEqual({ kind: 'lead' });
  expect(await share(fourth)).toEqual({ kind: 'lead' });
});

it('a leader that waits becomes as urgent as the most urgent that follows it', async () => {
  const [idle, urgent] = [await submitOne(store, { priority: 9 }), await submitOne(store, { priority: 0 })];
  await share(idle, 9);
  expect(await share(urgent, 0)).toEqual({ kind: 'follow', leader: idle });
  expect((await queueOf(store).bull.getJob(idle))?.priority).toBe(bullPriority(0, true));
});
