import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { freshRedis, type TestRedis } from '../../../test/harness/redis.ts';
import { type NotedAct, noteAct, readActs } from './acts.ts';
import { ACTS_KEY } from './keys.ts';
import type { Store } from './store.ts';
import { openTestStore } from './testing/store.ts';

let redis: TestRedis;
let store: Store;
beforeAll(async () => {
  redis = await freshRedis({ settings: { appendonly: 'no' } });
  store = await openTestStore(redis.url);
});
beforeEach(() => store.redis.flushall());
afterAll(async () => {
  await store?.close();
  await redis?.dispose();
});

const note = (who: string, what: string, target: string): Promise<void> =>
  noteAct(store, { who, role: 'operator', what, target, detail: '' });

/** Every page, one after the other. */
async function all(query: { who?: string; what?: string }, limit = 7): Promise<NotedAct[]> {
  const acts: NotedAct[] = [];
  for (let after: string | undefined; ; ) {
    const page = await readActs(store, { ...query, limit, after });
    expect(page.acts.length).toBeLessThanOrEqual(limit);
    acts.push(...page.acts);
    if (page.next === null) return acts;
    after = page.next;
  }
}

it('page by page every act is there once, the newest first, whole', async () => {
  for (let i = 0; i < 21; i++) await note('ops', 'job.cancel', `job-${i}`);
  await noteAct(store, { who: '', role: null, what: 'session.refused', target: '', detail: 'from ::1' });
  const acts = await all({});
  expect(acts.map(({ target }) => target)).toEqual(['', ...Array.from({ length: 21 }, (_, i) => `job-${20 - i}`)]);
  expect(acts[0]).toMatchObject({ who: '', role: null, what: 'session.refused', detail: 'from ::1' });
  expect(Math.abs((acts[0]?.at ?? 0) - Date.now())).toBeLessThan(10_000);
  expect((await readActs(store, { limit: 22 })).next).toBeNull();
});

it('they can be asked for by who, by what, and by kind', async () => {
  for (let i = 0; i < 20; i++) {
    await note('ann', 'queue.pause', `${i}`);
    await note('bob', 'queue.resume', `${i}`);
    await note('bob', 'job.retry', `${i}`);
  }
  expect(await all({ who: 'ann' })).toHaveLength(20);
  expect(await all({ who: 'bob', what: 'queue' })).toHaveLength(20);
  expect(await all({ what: 'queue' })).toHaveLength(40);
  expect(await all({ what: 'queue.pause' })).toHaveLength(20);
  expect(await all({ what: 'que' })).toHaveLength(0);
});

it('a filter that nothing fits looks through a bounded part at once, and says where to go on', async () => {
  const pipeline = store.redis.pipeline();
  for (let i = 0; i < 2500; i++) pipeline.xadd(ACTS_KEY, '*', 'who', 'ann', 'what', 'job.cancel');
  await pipeline.exec();
  const first = await readActs(store, { limit: 10, who: 'nobody' });
  expect(first).toMatchObject({ acts: [], next: expect.any(String) });
  expect(await readActs(store, { limit: 10, who: 'nobody', after: first.next ?? '' })).toEqual({
    acts: [],
    next: null,
  });
});
