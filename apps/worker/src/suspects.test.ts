/** A job that was in flight at two crashes runs alone in its process, and nobody's attempt is used up for that. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { COMPLETED, submitOne } from '../../../packages/queue/src/testing/stored.ts';
import { eventually } from '../../../test/harness/eventually.ts';
import { scriptedRun } from './testing/scripted-run.ts';
import { openWorkshop, type Workshop } from './testing/workshop.ts';

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterEach(() => shop.tidy());
afterAll(() => shop?.close());

const suspect = async (): Promise<string> => {
  const id = await submitOne(shop.store, { priority: 0 });
  await shop.store.redis.hset(shop.queue.keys.job(id), 'crashes', 2);
  return id;
};

it('what runs ends first, the suspect runs by itself, and the others come after it', async () => {
  const scripted = scriptedRun();
  shop.start(scripted);
  const before = [await submitOne(shop.store), await submitOne(shop.store)];
  await scripted.nth(1);
  const id = await suspect();
  await eventually('it is taken', async () => (await shop.entry(id)) === 'active');
  const after = [await submitOne(shop.store), await submitOne(shop.store)];
  scripted.started[0]?.end(COMPLETED);
  await shop.jobOnce(before[0] as string, 'the first has ended', ({ status }) => status === 'completed');
  expect(scripted.started).toHaveLength(2);
  scripted.started[1]?.end(COMPLETED);
  const alone = await scripted.nth(2);
  expect(alone.input.id).toBe(id);
  for (const other of after) expect((await shop.job(other)).attempts).toEqual([]);
  alone.end(COMPLETED);
  (await scripted.nth(3)).end(COMPLETED);
  (await scripted.nth(4)).end(COMPLETED);
  for (const one of [...before, id, ...after]) {
    const job = await shop.jobOnce(one, 'it is completed', ({ status }) => status === 'completed');
    expect(job.attempts).toHaveLength(1);
  }
});

it('one that comes to an end of its own, though a bad one, is a suspect no longer', async () => {
  const scripted = scriptedRun();
  shop.start(scripted);
  const id = await suspect();
  (await scripted.nth(0)).end({
    kind: 'retry',
    reason: 'upstream_error',
    error: { code: 'server_error', message: 'a hiccup' },
    afterMs: 60_000,
    countsAsAttempt: true,
    possiblyBilled: false,
  });
  await eventually('it waits for its backoff', async () => (await shop.entry(id)) === 'delayed');
  expect(await shop.store.redis.hget(shop.queue.keys.job(id), 'crashes')).toBeNull();
});

it('a second suspect does not run beside the first, and runs when that has ended', async () => {
  const scripted = scriptedRun();
  shop.start(scripted);
  const ids = [await suspect(), await suspect()];
  const first = await scripted.nth(0);
  const other = ids.find((id) => id !== first.input.id) as string;
  expect((await shop.job(other)).attempts).toEqual([]);
  expect(scripted.started).toHaveLength(1);
  first.end(COMPLETED);
  (await scripted.nth(1)).end(COMPLETED);
  for (const id of ids) await shop.jobOnce(id, 'it is completed', ({ status }) => status === 'completed');
});

it('a worker that is stopped gives back the suspect that waits, and those it holds', async () => {
  const scripted = scriptedRun();
  const runner = shop.start(scripted);
  const running = await submitOne(shop.store);
  await scripted.nth(0);
  const id = await suspect();
  await eventually('it is taken', async () => (await shop.entry(id)) === 'active');
  await runner.drain(100);
  for (const one of [running, id]) expect(await shop.entry(one)).toBe('prioritized');
  expect((await shop.job(id)).attempts).toEqual([]);
});

it('a job with too many crashes is failed without another attempt', async () => {
  const scripted = scriptedRun();
  const id = await submitOne(shop.store);
  await shop.store.redis.hset(shop.queue.keys.job(id), 'crashes', 4);
  shop.start(scripted);
  await eventually('its entry has failed', async () => (await shop.entry(id)) === 'failed');
  expect(await shop.job(id)).toMatchObject({ status: 'failed', error: { code: 'poison' }, attempts: [] });
  expect(scripted.started).toEqual([]);
});
