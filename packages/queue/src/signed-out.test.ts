import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshRedis, type TestRedis } from '../../../test/harness/redis.ts';
import { SIGNED_OUT_KEY } from './keys.ts';
import { noteSignedOut, wasSignedOut } from './signed-out.ts';
import type { Store } from './store.ts';
import { openTestStore } from './testing/store.ts';

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

it('a session that was signed out of is known as such as long as it would have lasted, and no longer', async () => {
  const soon = Date.now() + 60_000;
  await noteSignedOut(store, 'one', soon);
  await store.redis.zadd(SIGNED_OUT_KEY, Date.now() - 1, 'over');
  await noteSignedOut(store, 'two', soon);
  expect(await Promise.all(['one', 'two', 'three'].map((id) => wasSignedOut(store, id)))).toEqual([true, true, false]);
  expect(await store.redis.zcard(SIGNED_OUT_KEY)).toBe(2);
});
