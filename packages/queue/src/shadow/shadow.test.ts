import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { freshRedis, type TestRedis } from '../../../../test/harness/redis.ts';
import { finishByOutcome } from '../attempt.ts';
import { removeJob } from '../retention.ts';
import type { Store } from '../store.ts';
import { openTestStore } from '../testing/store.ts';
import { begin, COMPLETED, queueOf, submitOne } from '../testing/stored.ts';
import { readShadow } from './read-shadow.ts';
import { countDropped, type ShadowPair, type ShadowSide, writeShadow } from './write-shadow.ts';

let redis: TestRedis;
let store: Store;
beforeAll(async () => {
  redis = await freshRedis();
  store = await openTestStore(redis.url);
});
afterAll(async () => {
  await store.close();
  await redis.dispose();
});
beforeEach(async () => {
  await store.redis.flushall();
});

const side = (fields: Partial<ShadowSide> = {}): ShadowSide => ({
  ...{ status: 'completed', ms: 100, input_tokens: 10, output_tokens: 5, text_sha256: 'x', text: 'x', error: null },
  ...fields,
});
const FAILED = side({
  status: 'failed',
  ms: 9,
  text: null,
  text_sha256: null,
  input_tokens: null,
  output_tokens: null,
});
const pair = (id: string, fields: Partial<ShadowPair> = {}): ShadowPair => ({
  ...{ id, at: 1000, model: 'm', answered_by: 'responses', same_text: true, similarity: 1 },
  ...{ responses: side(), chat: side() },
  ...fields,
});

/** A job that has ended. */
async function ended(): Promise<string> {
  const id = await submitOne(store);
  await finishByOutcome(store, queueOf(store), id, (await begin(store, id)).epoch, COMPLETED);
  return id;
}

it('counts, means and percentiles are told by API, and what the other calls took apart', async () => {
  const queue = queueOf(store);
  const [one, two, three] = [await ended(), await ended(), await ended()];
  await writeShadow(store, queue, pair(one, { at: 1, chat: side({ ms: 300, input_tokens: 12 }) }));
  await writeShadow(store, queue, pair(two, { at: 2, answered_by: 'chat', chat: side({ ms: 500 }), same_text: false }));
  await writeShadow(store, queue, pair(three, { at: 3, chat: FAILED, same_text: false, similarity: null }));
  await countDropped(store, queue, 'busy');
  await countDropped(store, queue, 'busy');
  const report = await readShadow(store, queue, 10);
  expect(report).toMatchObject({ compared: 3, equal: 1, kept: 3, dropped: { busy: 2, held: 0, late: 0, stopped: 0 } });
  expect(report.sides.responses).toMatchObject({ answered: 3, failed: 0, ms: { mean: 100, p50: 100, p95: 100 } });
  expect(report.sides.chat).toMatchObject({ answered: 2, failed: 1, ms: { mean: 400, p50: 300, p95: 500 } });
  expect(report.sides.chat.tokens).toEqual({ input_mean: 11, output_mean: 5 });
  // One chat call of 12, one Responses call of 10, and one that failed.
  expect(report.spent).toEqual({ input_tokens: 22, output_tokens: 10 });
  expect(report.differences.map(({ id }) => id)).toEqual([three, two]);
  expect((await readShadow(store, queue, 1)).differences).toHaveLength(1);
});

it('the newest 1,000 are kept, and all are counted', async () => {
  const queue = queueOf(store);
  const ids = Array.from({ length: 1005 }, (_, index) => `resp_${index}`);
  const written = ids.map(async (id, at) => {
    await store.redis.hset(queue.keys.job(id), 'status', 'completed');
    await writeShadow(store, queue, pair(id, { at, same_text: false }));
  });
  await Promise.all(written);
  const { compared, kept, differences } = await readShadow(store, queue, 1005);
  expect([compared, kept]).toEqual([1005, 1000]);
  expect(differences.map(({ id }) => id)).toEqual(ids.slice(5).reverse());
});

it('a pair goes with its job; of one that is gone already only the counts stay', async () => {
  const queue = queueOf(store);
  const [kept, gone] = [await ended(), await ended()];
  await writeShadow(store, queue, pair(kept));
  await writeShadow(store, queue, pair(gone));
  expect(await removeJob(store, queue, gone)).toBe(true);
  await writeShadow(store, queue, pair(gone));
  expect(await readShadow(store, queue, 10)).toMatchObject({ compared: 3, kept: 1 });
  expect(await store.redis.zrange(queue.keys.shadowAt, '0', '-1')).toEqual([kept]);
});

it('of a queue without comparisons nothing is told', async () => {
  expect(await readShadow(store, queueOf(store), 10)).toMatchObject({
    ...{ compared: 0, kept: 0, differences: [] },
    sides: { chat: { answered: 0, ms: { mean: null, p50: null, p95: null }, tokens: { input_mean: null } } },
  });
});
