import { ConflictError, jobIdOfAction, NotFoundError } from '@millrace/core';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { freshRedis, type TestRedis } from '../../../../test/harness/redis.ts';
import { finishByOutcome } from '../attempt.ts';
import { createBatch } from '../batches/write-batch.ts';
import { actionKeys } from '../keys.ts';
import { readJob } from '../read.ts';
import { retryJob } from '../retry-job.ts';
import type { Store } from '../store.ts';
import { submit } from '../submit.ts';
import { newJob, openTestStore } from '../testing/store.ts';
import { begin, FAILED, queueOf, submitOne } from '../testing/stored.ts';
import { type Action, listActions, readAction } from './action.ts';
import { createAction, type NewAction, resumeAction, stopAction } from './create-action.ts';
import { doPage } from './do-page.ts';
import { carryOn } from './keep-actions.ts';

const CONFIG = { queues: { generate: { maxWaiting: 400 }, extract: {} } };

let redis: TestRedis;
let store: Store;
beforeAll(async () => {
  redis = await freshRedis();
  store = await openTestStore(redis.url, { config: CONFIG });
});
beforeEach(() => store.redis.flushall());
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  await store?.close();
  await redis?.dispose();
});

async function fail(id: string): Promise<string> {
  const begun = await begin(store, id);
  expect(await finishByOutcome(store, queueOf(store), id, begun.epoch, FAILED)).toBe('written');
  return id;
}

async function failedJobs(count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let from = 0; from < count; from += 200) {
    const replies = await submit(
      store,
      Array.from({ length: Math.min(200, count - from) }, () => newJob()),
    );
    for (const reply of replies) if (!(reply instanceof Error)) ids.push(reply.id);
    await Promise.all(ids.slice(from).map(fail));
  }
  return ids;
}

const start = (ids: readonly string[], terms: Partial<NewAction> = {}): Promise<string> =>
  createAction(store, { kind: 'retry', ids, what: 'all of it', cause: null, edit: null, key: 'ops', ...terms });

const unexpected = (error: unknown): void => {
  throw error;
};
const round = (): Promise<void> => carryOn(store, unexpected);

async function carriedOut(id: string): Promise<Action> {
  for (let rounds = 0; rounds < 100; rounds++) {
    const action = await readAction(store, id);
    if (action?.status !== 'running' && action?.status !== 'stopping') return action as Action;
    await round();
  }
  throw new Error('it goes on and on');
}

/** The old jobs of all jobs that wait. */
async function retried(): Promise<string[]> {
  const ids = await store.redis.zrange(queueOf(store).keys.status('queued'), '0', '-1');
  return Promise.all(ids.map(async (id) => (await readJob(store, id))?.job.retry_of ?? ''));
}

it('of each failed job one new one is made, linked to it, of who started it; others are left alone and counted', async () => {
  const failed = await failedJobs(250);
  const waiting = await submitOne(store);
  const gone = 'resp_'.padEnd(53, '0');
  const id = await start([...failed, waiting, gone, ...failed]);
  expect(await carriedOut(id)).toMatchObject({
    status: 'completed',
    ...{ total: 252, done: 252, made: 250, skipped: 2, failed: 0, skips: { not_failed: 1, gone: 1 }, held: null },
  });
  expect((await retried()).filter((old) => old !== '').sort()).toEqual([...failed].sort());
  const made = await readJob(store, jobIdOfAction(id, failed[0] as string));
  expect(made?.job).toMatchObject({ status: 'queued', retry_of: failed[0], key: 'ops' });
  expect((await readAction(store, id))?.first).toHaveLength(20);
  expect(await store.redis.exists(actionKeys(id).pages)).toBe(0);
});

it('stopped, no further page is begun and what was done stays; resumed, it goes on where it was', async () => {
  const failed = await failedJobs(300);
  const id = await start(failed);
  const lindex = store.redis.lindex.bind(store.redis);
  const asked = vi.spyOn(store.redis, 'lindex').mockImplementation(async (...args) => {
    if (asked.mock.calls.length === 2) await stopAction(store, id);
    return lindex(...(args as [string, number]));
  });
  expect(await carriedOut(id)).toMatchObject({ status: 'stopped', made: 200, done: 200 });
  asked.mockRestore();
  await round();
  expect(await retried()).toHaveLength(200);
  await resumeAction(store, id);
  expect(await carriedOut(id)).toMatchObject({ status: 'completed', made: 300 });
  expect((await retried()).sort()).toEqual([...failed].sort());
  await expect(stopAction(store, id)).rejects.toThrow(ConflictError);
  await expect(resumeAction(store, `action_${'0'.repeat(32)}`)).rejects.toThrow(NotFoundError);
});

it('cut off at any command, and done by two at once, it makes one new job of each: none twice, none left out', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 230 }),
      fc.array(fc.nat({ max: 25 }), { maxLength: 6 }),
      async (size, cuts) => {
        await store.redis.flushall();
        const failed = await failedJobs(size);
        const id = await start(failed);
        for (const cut of cuts) {
          const worker = await openTestStore(redis.url, { config: CONFIG, kind: 'hasty' });
          let commands = 0;
          const send = worker.redis.sendCommand.bind(worker.redis);
          vi.spyOn(worker.redis, 'sendCommand').mockImplementation((...args) => {
            if (commands++ === cut) worker.redis.disconnect();
            return send(...args);
          });
          await carryOn(worker, () => undefined).catch(() => undefined);
          await worker.close();
        }
        await Promise.all([carryOn(store, unexpected), carryOn(store, unexpected)]);
        expect(await carriedOut(id)).toMatchObject({ status: 'completed', total: size, made: size, done: size });
        expect((await retried()).sort()).toEqual([...failed].sort());
      },
    ),
    { numRuns: 15 },
  );
}, 60_000);

it('what is ordered twice is made once: who was retried before, by whomever, is left alone', async () => {
  const failed = await failedJobs(120);
  const five = await start(failed.slice(0, 5));
  const [all, again] = [await start(failed), await start(failed)];
  const [, , , , , sixth = ''] = failed;
  const by = await retryJob(store, sixth);
  expect(await carriedOut(five)).toMatchObject({ made: 5 });
  expect(await carriedOut(all)).toMatchObject({ made: 114, skips: { retried: 6 } });
  expect(await carriedOut(again)).toMatchObject({ made: 0, skips: { retried: 120 } });
  expect((await retried()).sort()).toEqual([...failed].sort());
  expect((await readJob(store, sixth))?.job.retried_as).toBe(by.id);
});

it('two that are carried out at once, of the same jobs, make one new job of each together', async () => {
  const failed = await failedJobs(60);
  const ids = [await start(failed), await start(failed, { edit: { instructions: 'Be brief.' } })];
  const worker = await openTestStore(redis.url, { config: CONFIG });
  const actions = await Promise.all(ids.map((id) => readAction(store, id)));
  const done = await Promise.all([store, worker].map((one, index) => doPage(one, actions[index] as Action, failed)));
  await worker.close();
  expect((await retried()).sort()).toEqual([...failed].sort());
  expect(done.flatMap(({ made }) => made)).toHaveLength(60);
  expect(done.flatMap(({ skips }) => skips)).toEqual(failed.map(() => 'retried'));
});

it('a job that was made before a crash is noted on the old one after it', async () => {
  const [old = ''] = await failedJobs(1);
  const id = await start([old]);
  const made = jobIdOfAction(id, old);
  await submitOne(store, { id: made, retryOf: old });
  expect(await carriedOut(id)).toMatchObject({ made: 1 });
  expect((await readJob(store, old))?.job.retried_as).toBe(made);
  expect(await retried()).toEqual([old]);
});

it('many that wait for a full queue do not keep a later one from its turn', async () => {
  const failed = await failedJobs(30);
  const others = await failedJobs(30);
  await submit(
    store,
    Array.from({ length: 400 }, () => newJob()),
  );
  const held: string[] = [];
  for (let count = 0; count < 15; count++) held.push(await start(failed));
  const later = await start(others, { kind: 'discard' });
  await round();
  await round();
  expect(await readAction(store, later)).toMatchObject({ status: 'completed', made: 30 });
  expect(await readAction(store, held[0] as string)).toMatchObject({ done: 0, held: expect.stringContaining('full') });
});

it('a full queue is waited for: it says so, and goes on as there is room', async () => {
  const failed = await failedJobs(150);
  const filling = await submit(
    store,
    Array.from({ length: 200 }, () => newJob()),
  );
  expect(filling).toHaveLength(200);
  await submit(
    store,
    Array.from({ length: 150 }, () => newJob()),
  );
  const id = await start(failed);
  await round();
  expect(await readAction(store, id)).toMatchObject({
    status: 'running',
    done: 0,
    held: expect.stringContaining('full'),
  });
  const { keys } = queueOf(store);
  const waiting = await store.redis.zrange(keys.status('queued'), '0', '-1');
  const jobs = await Promise.all(waiting.map((job) => readJob(store, job)));
  await Promise.all(jobs.flatMap((found) => (found?.job.retry_of === null ? [fail(found.job.id)] : [])));
  expect(await carriedOut(id)).toMatchObject({ status: 'completed', made: 150, held: null });
});

it('an edit is made in each new job; where it does not fit, nothing is made, and the first of why are kept', async () => {
  const failed = await failedJobs(130);
  const id = await start(failed, { edit: { model: 'other-model', instructions: 'Be brief.' } });
  await carriedOut(id);
  const made = await readJob(store, jobIdOfAction(id, failed[7] as string));
  expect(made?.job).toMatchObject({
    model: 'other-model',
    body: { model: 'other-model', instructions: 'Be brief.', input: 'hello' },
  });
  const others = await failedJobs(130);
  const refused = await start(others, { edit: { replace: { find: 'what is not there', with: 'x' } } });
  const action = await carriedOut(refused);
  expect(action).toMatchObject({ status: 'completed', made: 0, failed: 130 });
  expect(action.errors).toHaveLength(20);
  expect(action.errors[0]?.message).toContain('replace.find');
  expect(await retried()).toHaveLength(130);
});

it('discarded jobs are gone; those of a batch that goes on are left, with the reason', async () => {
  const failed = await failedJobs(120);
  const queue = queueOf(store);
  const batch = await createBatch(store, {
    ...{ queue, endpoint: '/v1/responses', inputFileId: 'file-1', completionWindow: '24h', windowMs: 1e6 },
    ...{ priority: 5, metadata: null, outputExpiresSeconds: null, key: null, idempotency: null },
  });
  const inBatch = await fail(await submitOne(store, { batch: { id: batch.id, place: 0, customId: 'a', chat: false } }));
  const waiting = await submitOne(store);
  const id = await start([...failed, inBatch, waiting], { kind: 'discard' });
  expect(await carriedOut(id)).toMatchObject({
    made: 120,
    skipped: 2,
    skips: { in_batch: 1, not_failed: 1 },
    first: [],
  });
  for (const job of failed) expect(await readJob(store, job)).toBeNull();
  for (const job of [inBatch, waiting]) expect(await readJob(store, job)).not.toBeNull();
});

it('actions are listed newest first, and kept for a time', async () => {
  const ids = await failedJobs(2);
  const first = await start(ids, { what: 'the first' });
  await store.redis.zincrby('{mr-actions}:all', -10, first);
  await start(ids, { what: 'the second' });
  expect((await listActions(store, 10)).map(({ what }) => what)).toEqual(['the second', 'the first']);
  const days = (await store.redis.pttl(actionKeys(first).action)) / 86_400_000;
  expect(days).toBeGreaterThan(29);
  expect(await store.redis.pttl(actionKeys(first).pages)).toBeGreaterThan(0);
  await expect(start([])).rejects.toThrow('no job');
});

it('no more than twenty run at once; of those that are stopped the last twenty can be resumed', async () => {
  const ids = await failedJobs(1);
  const stopped: string[] = [];
  for (let count = 0; count < 22; count++) {
    const id = await start(ids);
    // Made in the other order than they are stopped in.
    await store.redis.zincrby('{mr-actions}:all', -count * 1000, id);
    await stopAction(store, id);
    await round();
    stopped.push(id);
  }
  // Where none is stopped, none has to make room.
  await expect(stopAction(store, `action_${'0'.repeat(32)}`)).rejects.toThrow(NotFoundError);
  const [first = '', second = '', third = ''] = stopped;
  expect((await readAction(store, second))?.status).toBe('completed');
  expect(await readAction(store, first)).toMatchObject({
    ...{ status: 'completed', done: 0 },
    held: expect.stringContaining('cannot be resumed any more'),
  });
  expect(await store.redis.exists(actionKeys(first).pages)).toBe(0);
  await expect(resumeAction(store, first)).rejects.toThrow(ConflictError);
  expect((await resumeAction(store, third)).status).toBe('running');
  for (let count = 1; count < 20; count++) await start(ids);
  await expect(start(ids)).rejects.toMatchObject({ code: 'too_many_actions', status: 429 });
});
