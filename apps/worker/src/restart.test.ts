/** BullMQ's loop parks for good, as it did after outages: the runner starts it again, and loses nothing that runs. */
import { Worker } from 'bullmq';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { COMPLETED, submitOne } from '../../../packages/queue/src/testing/stored.ts';
import { eventually } from '../../../test/harness/eventually.ts';
import { scriptedRun } from './testing/scripted-run.ts';
import { openWorkshop, type Workshop } from './testing/workshop.ts';

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await shop.tidy();
});
afterAll(() => shop?.close());

it('a parked BullMQ worker is replaced while a job runs in it, which ends as if nothing had been', async () => {
  const scripted = scriptedRun();
  let release: (until: number) => void = () => undefined;
  const parking = vi.spyOn(Worker.prototype as unknown as { waitForJob(): Promise<number> }, 'waitForJob');
  parking.mockImplementationOnce(
    () =>
      new Promise((resolve) => {
        release = resolve;
      }),
  );
  const runs = await submitOne(shop.store);
  const runner = shop.start({ ...scripted, restartAfterMs: 600 });
  const first = await scripted.nth(0);
  await eventually('it is parked', () => parking.mock.calls.length === 1);
  const waits = await submitOne(shop.store);
  const second = await scripted.nth(1);
  expect([second.input.id, runner.restarts()]).toEqual([waits, 1]);
  first.end(COMPLETED);
  second.end(COMPLETED);
  for (const id of [runs, waits]) {
    await eventually('its entry has ended', async () => (await shop.entry(id)) === 'completed');
    expect((await shop.job(id)).attempts).toHaveLength(1);
  }
  release(0);
  expect(runner.restarts()).toBe(1);
});
