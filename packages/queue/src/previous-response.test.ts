import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshRedis, type TestRedis } from '../../../test/harness/redis.ts';
import { finishByOutcome } from './attempt.ts';
import { findPrevious } from './previous-response.ts';
import type { Store } from './store.ts';
import { openTestStore } from './testing/store.ts';
import { begin, COMPLETED, queueOf, submitOne } from './testing/stored.ts';

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

it.each([
  ['responses', { kind: 'answered', upstreamId: 'resp_upstream' }],
  ['chat', { kind: 'lost', code: 'previous_response_not_stored' }],
] as const)('of a response that was made by %s the upstream knows what it stores', async (api, found) => {
  const id = await submitOne(store);
  await finishByOutcome(store, queueOf(store), id, (await begin(store, id)).epoch, COMPLETED, { api });
  expect(await findPrevious(store, id)).toMatchObject(found);
});
