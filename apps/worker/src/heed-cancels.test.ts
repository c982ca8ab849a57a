import { cancelJob } from '@millrace/queue';
import { afterAll, afterEach, beforeAll, expect, it, onTestFinished } from 'vitest';
import { silentLog } from '../../../packages/queue/src/testing/store.ts';
import { submitOne } from '../../../packages/queue/src/testing/stored.ts';
import { eventually } from '../../../test/harness/eventually.ts';
import { heedCancels } from './heed-cancels.ts';
import { scriptedRun } from './testing/scripted-run.ts';
import { openWorkshop, type Workshop } from './testing/workshop.ts';

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterEach(() => shop.tidy());
afterAll(() => shop?.close());

it('a cancellation whose message was missed still stops the call', async () => {
  const scripted = scriptedRun();
  const runner = shop.start(scripted);
  const id = await submitOne(shop.store);
  const attempt = await scripted.nth(0);
  // Nobody listens yet: the message is lost.
  await cancelJob(shop.store, id);
  expect(attempt.input.controller.signal.aborted).toBe(false);
  const heeding = heedCancels(shop.redis.url, shop.store, [runner], silentLog, 50);
  onTestFinished(heeding.stop);
  await eventually('the attempt is told', () => attempt.input.controller.signal.aborted);
  expect(attempt.input.controller.signal.reason).toEqual({ kind: 'cancelled' });
  await eventually('its entry has ended', async () => (await shop.entry(id)) === 'completed');
});

it('a call whose job goes on is left alone', async () => {
  const scripted = scriptedRun();
  const runner = shop.start(scripted);
  const [kept, unwanted] = [await submitOne(shop.store), await submitOne(shop.store)];
  const attempts = [await scripted.nth(0), await scripted.nth(1)];
  const heeding = heedCancels(shop.redis.url, shop.store, [runner], silentLog, 50);
  onTestFinished(heeding.stop);
  await cancelJob(shop.store, unwanted);
  const of = (id: string) => attempts.find(({ input }) => input.id === id)?.input.controller.signal;
  await eventually('the unwanted one is told', () => of(unwanted)?.aborted);
  expect(of(kept)?.aborted).toBe(false);
});
