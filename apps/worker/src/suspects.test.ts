/** A job that was in flight at two crashes runs where nothing else does; and what a queue that rather looks does. */
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { COMPLETED, submitOne } from '../../../packages/queue/src/testing/stored.ts';
import { eventually } from '../../../test/harness/eventually.ts';
import { openIsolation } from './isolation.ts';
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

type Place = NonNullable<Parameters<Workshop['start']>[0]['isolation']>;

/** The real place for suspects, in which attempts are scripted instead of run in a process. */
function place(): { isolation: Place; inside: ReturnType<typeof scriptedRun> } {
  const inside = scriptedRun();
  const isolation = openIsolation({ audit: null, background: () => 'unknown' });
  onTestFinished(isolation.close);
  return { isolation: { ...isolation, run: inside.run }, inside };
}

it('it runs in the place for suspects, and the others go on beside it', async () => {
  const scripted = scriptedRun();
  const { isolation, inside } = place();
  shop.start({ run: scripted.run, isolation });
  const beside = await submitOne(shop.store);
  (await scripted.nth(0)).end(COMPLETED);
  const id = await suspect();
  const isolated = await inside.nth(0);
  expect(isolated.input.id).toBe(id);
  const after = await submitOne(shop.store);
  (await scripted.nth(1)).end(COMPLETED);
  isolated.end(COMPLETED);
  for (const one of [beside, id, after]) {
    const job = await shop.jobOnce(one, 'it is completed', ({ status }) => status === 'completed');
    expect(job.attempts).toHaveLength(1);
  }
  expect(scripted.started).toHaveLength(2);
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

it('a second suspect does not run beside the first, uses up no attempt, and runs when that has ended', async () => {
  const { isolation, inside } = place();
  shop.start({ run: scriptedRun().run, isolation });
  const ids = [await suspect(), await suspect()];
  const first = await inside.nth(0);
  const other = ids.find((id) => id !== first.input.id) as string;
  await eventually('it is taken', async () => (await shop.entry(other)) === 'active');
  expect((await shop.job(other)).attempts).toEqual([]);
  expect(inside.started).toHaveLength(1);
  first.end(COMPLETED);
  (await inside.nth(1)).end(COMPLETED);
  for (const id of ids) await shop.jobOnce(id, 'it is completed', ({ status }) => status === 'completed');
});

it('a job that killed the process it was isolated in is tried there once more, then failed', async () => {
  const { isolation, inside } = place();
  shop.start({ run: scriptedRun().run, isolation });
  const id = await suspect();
  for (const nth of [0, 1]) {
    (await inside.nth(nth)).end({ kind: 'interrupted', reason: 'crashed', possiblyBilled: true });
  }
  const job = await shop.jobOnce(id, 'it has failed', ({ status }) => status === 'failed');
  expect(job.error?.code).toBe('poison');
  expect(job.attempts.map(({ outcome, reason, possibly_billed }) => [outcome, reason, possibly_billed])).toEqual([
    ['interrupted', 'crashed', true],
    ['interrupted', 'crashed', true],
  ]);
});

it('a job with too many crashes is failed without another attempt', async () => {
  const scripted = scriptedRun();
  const id = await submitOne(shop.store);
  await shop.store.redis.hset(shop.queue.keys.job(id), 'crashes', 8);
  shop.start(scripted);
  await eventually('its entry has failed', async () => (await shop.entry(id)) === 'failed');
  expect(await shop.job(id)).toMatchObject({ status: 'failed', error: { code: 'poison' }, attempts: [] });
  expect(scripted.started).toEqual([]);
});

describe('a queue that would rather look than pay twice', () => {
  it('fails a job whose call was cut off by a shutdown', async () => {
    const scripted = scriptedRun();
    const runner = shop.start({ ...scripted, settings: { whenUnknown: 'fail' } });
    const id = await submitOne(shop.store);
    await scripted.nth(0);
    await runner.drain(0);
    expect(await shop.job(id)).toMatchObject({
      status: 'failed',
      error: { code: 'outcome_unknown' },
      attempts: [{ outcome: 'failed', reason: 'shutdown', possibly_billed: true }],
    });
  });

  it('does not make a call again whose worker died', async () => {
    const scripted = scriptedRun();
    const id = await submitOne(shop.store);
    await shop.store.redis.hset(shop.queue.keys.job(id), 'unknown', 1);
    shop.start({ ...scripted, settings: { whenUnknown: 'fail' } });
    const job = await shop.jobOnce(id, 'it has failed', ({ status }) => status === 'failed');
    expect(job.error?.code).toBe('outcome_unknown');
    expect(scripted.started).toEqual([]);
  });
});
