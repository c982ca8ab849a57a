/**
 * The scripts as a state machine: whatever happens to a few jobs in whatever order, each ends once, and everything that
 * is kept about them adds up after every step. The model below says in a few lines what the scripts must do.
 */
import type { Outcome, TerminalStatus } from '@millrace/core';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshRedis, type TestRedis } from '../../../test/harness/redis.ts';
import { beginAttempt, finishByOutcome, settleAttempt } from './attempt.ts';
import { cancelJob } from './cancel.ts';
import { failPastDeadline, removeJob } from './retention.ts';
import type { Store } from './store.ts';
import { openTestStore } from './testing/store.ts';
import { COMPLETED, FAILED, queueOf, RETRY, submitOne } from './testing/stored.ts';

const JOBS = 2;
const RUNS = 200;
const STEPS = 40;
const FAR_MS = 3_600_000;

let redis: TestRedis;
let store: Store;
beforeAll(async () => {
  redis = await freshRedis({ settings: { appendonly: 'no' } });
  store = await openTestStore(redis.url);
});
afterAll(async () => {
  await store?.close();
  await redis?.dispose();
});

const OUTCOMES = {
  completed: COMPLETED,
  incomplete: { ...COMPLETED, kind: 'incomplete', reason: 'max_output_tokens' },
  failed: FAILED,
  cancelled: { kind: 'cancelled', possiblyBilled: true },
} as const satisfies Record<TerminalStatus, Outcome>;

/** Which of the job's attempts writes: 0 the newest, 1 the one before it … */
const attemptBack = fc.constantFrom(0, 0, 1, 2);
const seldom = fc.constantFrom(false, false, false, true);
const step = fc.record({
  job: fc.integer({ min: 0, max: JOBS - 1 }),
  act: fc.oneof(
    fc.record({ kind: fc.constant('submit' as const), deadline: fc.boolean(), delayed: seldom }),
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('begin' as const) }) },
    fc.record({
      kind: fc.constant('settle' as const),
      back: attemptBack,
      counted: fc.boolean(),
      delayed: seldom,
    }),
    fc.record({
      kind: fc.constant('finish' as const),
      back: attemptBack,
      to: fc.constantFrom('completed' as const, 'incomplete' as const, 'failed' as const, 'cancelled' as const),
    }),
    fc.record({
      kind: fc.constantFrom('cancel' as const, 'deadline passes' as const, 'expire' as const),
    }),
    fc.record({ kind: fc.constantFrom('due' as const, 'remove' as const) }),
  ),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface Model {
  id: string;
  status: string;
  epoch: number;
  /** By attempt: how it ended; null while it is open. */
  attempts: (string | null)[];
  counted: number;
  hasDeadline: boolean;
  pastDeadline: boolean;
  delayed: boolean;
  finishedBy: number | null;
  answered: boolean;
  /** The whole record and result, as they were when the job ended. */
  frozen: unknown;
}

interface World {
  jobs: (Model | null)[];
  submitted: number;
  removed: number;
  closedAttempts: number;
  finished: number;
}

const isTerminal = (job: Model): boolean => job.status !== 'queued' && job.status !== 'in_progress';

it('any interleaving of submit, begin, settle, finish, cancel, deadline and removal keeps every promise', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: STEPS, size: 'max' }), async (steps) => {
      await store.redis.flushall();
      const world: World = {
        jobs: Array.from({ length: JOBS }, () => null),
        submitted: 0,
        removed: 0,
        closedAttempts: 0,
        finished: 0,
      };
      for (const one of steps) {
        await take(world, one);
        await checkAll(world);
      }
      for (const [index] of world.jobs.entries()) {
        await take(world, { job: index, act: { kind: 'cancel' } });
        await take(world, { job: index, act: { kind: 'remove' } });
      }
      await checkAll(world);
      expect(await store.redis.hmget(queueOf(store).keys.counters, 'kept_bytes', 'finished_bytes')).toEqual(
        world.submitted === 0 ? [null, null] : ['0', world.removed === 0 ? null : '0'],
      );
    }),
    { numRuns: RUNS },
  );
}, 180_000);

/** Does one step to Redis and to the model; the replies must agree. */
async function take(world: World, { job: index, act }: Step): Promise<void> {
  const job = world.jobs[index] ?? null;
  const queue = queueOf(store);
  if (act.kind === 'submit') {
    if (job !== null) return;
    const deadline = act.deadline ? Date.now() + FAR_MS : null;
    const id = await submitOne(store, { deadline, delayMs: act.delayed ? FAR_MS : 0 });
    world.submitted++;
    world.jobs[index] = {
      ...{ id, status: 'queued', epoch: 0, attempts: [], counted: 0, hasDeadline: act.deadline, pastDeadline: false },
      ...{ delayed: act.delayed, finishedBy: null, answered: false, frozen: null },
    };
    return;
  }
  if (job === null) return;
  const { id } = job;
  const close = (attempt: number, as: string): void => {
    if (job.attempts[attempt - 1] === null) world.closedAttempts++;
    job.attempts[attempt - 1] = as;
  };
  const end = async (status: TerminalStatus): Promise<void> => {
    job.status = status;
    job.delayed = false;
    world.finished++;
    job.frozen = await everythingOf(id);
  };
  const newestIsOpen = job.epoch > 0 && job.attempts[job.epoch - 1] === null;

  switch (act.kind) {
    case 'begin': {
      const reply = await beginAttempt(store, queue, id, { worker: 'w' });
      if (isTerminal(job)) return expect(reply.kind).toBe('terminal');
      if (job.pastDeadline) return expect(reply.kind).toBe('expired');
      if (job.delayed) return expect(reply.kind).toBe('early');
      if (newestIsOpen) close(job.epoch, 'interrupted');
      job.epoch++;
      job.attempts.push(null);
      job.status = 'in_progress';
      expect(reply).toMatchObject({ kind: 'begun', epoch: job.epoch, counted: job.counted });
      return;
    }
    case 'settle': {
      const epoch = job.epoch - act.back;
      if (epoch < 1) return;
      const outcome = { ...RETRY, countsAsAttempt: act.counted };
      const reply = await settleAttempt(store, queue, id, epoch, outcome, act.delayed ? FAR_MS : 0);
      if (isTerminal(job)) return expect(reply).toBe('terminal');
      if (act.back > 0) return expect(reply).toBe('stale');
      expect(reply).toBe('written');
      if (!newestIsOpen) return;
      close(epoch, 'retry');
      job.status = 'queued';
      job.delayed = act.delayed;
      if (act.counted) job.counted++;
      return;
    }
    case 'finish': {
      const epoch = job.epoch - act.back;
      if (epoch < 1) return;
      const reply = await finishByOutcome(store, queue, id, epoch, OUTCOMES[act.to]);
      if (isTerminal(job)) return expect(reply).toBe(job.finishedBy === epoch ? 'written' : 'terminal');
      const paid = act.to === 'completed' || act.to === 'incomplete';
      const fenced = act.back > 0 || job.attempts[epoch - 1] !== null;
      if (fenced && !paid) return expect(reply).toBe('stale');
      expect(reply).toBe('written');
      if (newestIsOpen && act.back > 0) close(job.epoch, 'interrupted');
      close(epoch, act.to);
      job.finishedBy = epoch;
      job.answered = paid;
      return end(act.to);
    }
    case 'cancel': {
      const before = job.status;
      const done = (await cancelJob(store, id)).job.status;
      if (isTerminal(job)) return expect(done).toBe(before);
      expect(done).toBe('cancelled');
      if (newestIsOpen) close(job.epoch, 'cancelled');
      return end('cancelled');
    }
    case 'deadline passes': {
      if (isTerminal(job) || !job.hasDeadline) return;
      await store.redis.hset(queue.keys.job(id), 'deadline', 1);
      await store.redis.zadd(queue.keys.deadlines, 1, id);
      job.pastDeadline = true;
      return;
    }
    case 'expire': {
      await failPastDeadline(store, queue, id);
      if (isTerminal(job) || !job.pastDeadline) return;
      if (newestIsOpen) close(job.epoch, 'failed');
      return end('failed');
    }
    case 'due': {
      if (job.status !== 'queued' || !job.delayed) return;
      await store.redis.hset(queue.keys.job(id), 'delayed_until', 1);
      job.delayed = false;
      return;
    }
    case 'remove': {
      const removed = await removeJob(store, queue, id);
      expect(removed).toBe(isTerminal(job));
      if (!removed) return;
      world.removed++;
      world.jobs[index] = null;
    }
  }
}

async function everythingOf(id: string): Promise<unknown> {
  const { keys } = queueOf(store);
  return Promise.all([store.redis.hgetall(keys.job(id)), store.redis.get(keys.result(id))]);
}

const STATUSES = ['queued', 'in_progress', 'completed', 'failed', 'cancelled', 'incomplete'];

async function checkAll(world: World): Promise<void> {
  const { keys, bull } = queueOf(store);
  const jobs = world.jobs.filter((job) => job !== null);
  const [records, results, listed, finished, deadlines, failures, counters, entries] = await Promise.all([
    Promise.all(jobs.map(({ id }) => store.redis.hgetall(keys.job(id)))),
    Promise.all(jobs.map(({ id }) => store.redis.get(keys.result(id)))),
    Promise.all(STATUSES.map((status) => store.redis.zrange(keys.status(status), '0', '-1'))),
    store.redis.zrange(keys.finished, '0', '-1'),
    store.redis.zrange(keys.deadlines, '0', '-1'),
    store.redis.lrange(keys.failures, 0, -1),
    store.redis.hgetall(keys.counters),
    Promise.all(jobs.map(({ id }) => store.redis.exists(bull.toKey(id)))),
  ]);
  const minutes = await Promise.all(
    (await store.redis.keys('{mr:generate}:minute:*')).map((key) => store.redis.hgetall(key)),
  );
  const inMinutes = (prefix: string): number =>
    minutes
      .flatMap((fields) => Object.entries(fields))
      .reduce((sum, [name, value]) => sum + (name.startsWith(prefix) ? Number(value) : 0), 0);
  const count = (name: string): number => Number(counters[name] ?? 0);
  const sumOf = (prefix: string): number =>
    Object.keys(counters)
      .filter((name) => name.startsWith(prefix))
      .reduce((sum, name) => sum + count(name), 0);
  const sorted = (ids: readonly string[]): string[] => [...ids].sort();
  const idsWhere = (condition: (job: Model) => boolean): string[] => sorted(jobs.filter(condition).map(({ id }) => id));

  for (const [index, status] of STATUSES.entries()) {
    expect(sorted(listed[index] ?? []), `listed as ${status}`).toEqual(idsWhere((job) => job.status === status));
  }
  for (const [index, job] of jobs.entries()) {
    const record = records[index] ?? {};
    expect(record.status).toBe(job.status);
    expect(Number(record.epoch ?? 0)).toBe(job.epoch);
    const ends = job.attempts.map((_, at) => record[`outcome:${at + 1}`]);
    expect(ends.map((end) => (end === undefined ? null : JSON.parse(end.slice(end.indexOf(' '))).outcome))).toEqual(
      job.attempts,
    );
    expect(job.attempts.at(-1) === null, 'the newest attempt is open exactly while the job runs').toBe(
      job.status === 'in_progress',
    );
    expect(results[index] !== null).toBe(job.answered);
    expect(Number(record.delayed_until ?? 0) > Date.now()).toBe(job.delayed);
    if (job.status !== 'queued') expect(record.delayed_until).toBeUndefined();
    expect(Number(record.counted ?? 0)).toBe(job.counted);
    if (isTerminal(job)) expect([record, results[index]], 'a job that has ended never changes').toEqual(job.frozen);
    else expect(entries[index], 'what is not finished has its BullMQ entry').toBe(1);
  }
  expect(sorted(finished)).toEqual(idsWhere(isTerminal));
  expect(sorted(deadlines)).toEqual(idsWhere((job) => job.hasDeadline && !isTerminal(job)));
  expect(sorted(failures)).toEqual(idsWhere((job) => job.status === 'failed'));
  expect(count('submitted')).toBe(world.submitted);
  expect(count('removed')).toBe(world.removed);
  expect(jobs.length + world.removed).toBe(world.submitted);
  expect(sumOf('finished:')).toBe(world.finished);
  expect(sumOf('attempts:')).toBe(world.closedAttempts);
  expect(
    ['submitted', 'finished:', 'attempts:', 'job_ms'].map(inMinutes),
    'the minutes are the totals, told by when',
  ).toEqual([world.submitted, world.finished, world.closedAttempts, count('job_seconds:sum_ms')]);
  expect(sumOf('job_seconds:le:')).toBe(world.finished);
  expect(sumOf('attempt_seconds:le:')).toBe(world.closedAttempts);
  const bytes = records.map((record) => Number(record.bytes));
  expect(Math.min(0, ...bytes)).toBe(0);
  expect(count('kept_bytes')).toBe(bytes.reduce((sum, one) => sum + one, 0));
  expect(count('finished_bytes')).toBe(
    bytes.reduce((sum, one, index) => sum + (isTerminal(jobs[index] as Model) ? one : 0), 0),
  );
}
