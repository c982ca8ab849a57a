/** On a real Redis: jobs of one conversation take turns, and whoever leaves makes room. */
import type { NewJob } from '@millrace/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshRedis, type TestRedis } from '../../../test/harness/redis.ts';
import { finishByOutcome } from './attempt.ts';
import { cancelJob } from './cancel.ts';
import { beforeInConversation, conversationHash } from './conversation.ts';
import { readWaiting } from './limits/waiting-for.ts';
import { readJob } from './read.ts';
import { failPastDeadline } from './retention.ts';
import type { Store } from './store.ts';
import { openTestStore } from './testing/store.ts';
import { allKeys, begin, COMPLETED, FAILED, queueOf, submitOne } from './testing/stored.ts';

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

const submitIn = (conversation: unknown, fields: Partial<NewJob> = {}) =>
  submitOne(store, { body: { input: 'hello', conversation }, ...fields });
const before = (id: string, conversation: unknown) =>
  beforeInConversation(store, queueOf(store), id, conversationHash({ conversation }) as string);
const end = async (id: string, outcome: typeof COMPLETED | typeof FAILED): Promise<void> => {
  const { epoch } = await begin(store, id);
  await finishByOutcome(store, queueOf(store), id, epoch, outcome);
};

it('each job waits for the one before it, however that ends; nothing is left of the line then', async () => {
  const conversation = 'conv_1';
  const deadline = Date.now() + 50;
  const ids = [
    await submitIn(conversation),
    // By its object it is the same one.
    await submitIn({ id: conversation }),
    await submitIn(conversation, { deadline }),
    await submitIn(conversation, { delayMs: 60_000 }),
    await submitIn(conversation),
  ] as [string, string, string, string, string];
  const [first, second, third, fourth, last] = ids;
  expect(await Promise.all(ids.map((id) => before(id, conversation)))).toEqual([null, ...ids.slice(0, -1)]);
  await end(first, COMPLETED);
  expect(await before(second, conversation)).toBeNull();
  // One in the middle leaves: who waited for it waits for the one before.
  await cancelJob(store, fourth);
  expect(await before(last, conversation)).toBe(third);
  await end(second, FAILED);
  expect(await before(third, conversation)).toBeNull();
  while (Date.now() <= deadline + 10) await store.redis.ping();
  await failPastDeadline(store, queueOf(store), third);
  expect(await before(last, conversation)).toBeNull();
  await end(last, COMPLETED);
  expect((await allKeys(store)).filter((key) => key.includes(':conversation:'))).toEqual([]);
});

it('other conversations, and jobs of none, wait for nobody', async () => {
  const first = await submitIn('conv_2');
  const other = await submitIn('conv_3');
  const none = await submitOne(store, { body: { input: 'hello', conversation: null } });
  expect(await before(other, 'conv_3')).toBeNull();
  expect(await before(none, 'conv_2')).toBeNull();
  expect(await before(await submitIn('conv_2'), 'conv_2')).toBe(first);
});

it('waiting_for names the job before', async () => {
  const first = await submitIn('conv_4');
  const second = await submitIn('conv_4');
  const found = await readJob(store, second);
  if (found === null) throw new Error('the job is gone');
  const told = (await readWaiting(store, [found.job]))(found.job);
  expect(told).toMatchObject({ reason: 'conversation', until: null, message: expect.stringContaining(first) });
});

it('a job that is in the line without a record holds nobody up', async () => {
  const first = await submitIn('conv_5');
  const second = await submitIn('conv_5');
  await store.redis.del(queueOf(store).keys.job(first));
  expect(await before(second, 'conv_5')).toBeNull();
});
