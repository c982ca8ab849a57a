import { finishByOutcome } from '@millrace/queue';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestStore } from '../../../packages/queue/src/testing/store.ts';
import { begin, COMPLETED, queueOf, submitOne } from '../../../packages/queue/src/testing/stored.ts';
import { eventually } from '../../../test/harness/eventually.ts';
import { freshRedis, type TestRedis } from '../../../test/harness/redis.ts';
import { openFollowUps } from './follow-ups.ts';

type Store = Awaited<ReturnType<typeof openTestStore>>;
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

const LONG_MS = 3_600_000;
const listeners = async (id: string): Promise<unknown> => (await store.redis.pubsub('NUMSUB', `mr:told:${id}`))[1];
const state = async (id: string): Promise<string | undefined> => (await queueOf(store).bull.getJob(id))?.getState();
/** A response that is being made, and a job, delayed for an hour, that goes on from it. */
async function two(): Promise<{ previous: string; epoch: number; id: string }> {
  const previous = await submitOne(store);
  const { epoch } = await begin(store, previous);
  const body = { input: 'and then?', previous_response_id: previous };
  return { previous, epoch, id: await submitOne(store, { body, delayMs: LONG_MS }) };
}
const finish = (id: string, epoch: number) => finishByOutcome(store, queueOf(store), id, epoch, COMPLETED);

it('a job that goes on from a response is put back in line when that has ended', async () => {
  const followUps = openFollowUps(store, queueOf(store));
  const { previous, epoch, id } = await two();
  expect(await followUps.waitFor(id, previous)).toBeGreaterThan(1000);
  expect(await state(id)).toBe('delayed');
  await finish(previous, epoch);
  await eventually('it is in line', async () => (await state(id)) === 'prioritized');
  await eventually('nobody listens any more', async () => (await listeners(previous)) === 0);
  followUps.close();
});

it('where that ended before anybody listened, it need not wait at all', async () => {
  const followUps = openFollowUps(store, queueOf(store));
  const { previous, epoch, id } = await two();
  await finish(previous, epoch);
  expect(await followUps.waitFor(id, previous)).toBe(0);
  await eventually('nobody listens any more', async () => (await listeners(previous)) === 0);
  followUps.close();
});

it('a worker that stops puts nobody back in line, and listens no more', async () => {
  const followUps = openFollowUps(store, queueOf(store));
  const { previous, epoch, id } = await two();
  await followUps.waitFor(id, previous);
  await followUps.waitFor(id, previous);
  followUps.close();
  await eventually('nobody listens any more', async () => (await listeners(previous)) === 0);
  await finish(previous, epoch);
  expect(await state(id)).toBe('delayed');
});
