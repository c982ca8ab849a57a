/** kill -9 of a worker: its orphans start again elsewhere within seconds, long before their locks would have run out. */
import { afterAll, expect, it } from 'vitest';
import { type CrashableRedis, crashableRedis } from '../harness/crashable-redis.ts';
import { eventually } from '../harness/eventually.ts';
import { allEnded, checkRun, faultRun, submitAll } from '../harness/fault-run.ts';
import { type FaultStack, IN_BACKGROUND, startFaultStack } from '../harness/fault-stack.ts';
import type { JobView } from '../harness/stack.ts';
import { courseOf, storedJobs } from '../harness/stored-jobs.ts';

/** Of each way of calling. */
const JOBS = 10;
const CALL_MS = 6000;
/** The default: an orphan that waited for it to run out would wait for longer than this test takes. */
const LOCK_SECONDS = 30;
/** 3.5 s by the numbers of pace-of-life.ts, five promised; the rest is for a busy machine. */
const MOST_MS = 8000;

const stacks: { stack: FaultStack; redis: CrashableRedis }[] = [];
afterAll(async () => {
  for (const { stack, redis } of stacks) {
    await stack.stop();
    await redis.dispose();
  }
});

/** A stack of its own for each: most of them is waiting, so they run side by side. */
async function oneWorker(): Promise<FaultStack> {
  const redis = await crashableRedis();
  const stack = await startFaultStack({
    redisUrl: redis.url,
    queue: { concurrency: JOBS },
    worker: { lockSeconds: LOCK_SECONDS },
    simulator: { latencyMs: CALL_MS },
  });
  stacks.push({ stack, redis });
  return stack;
}

/** The jobs once each of them has had so many attempts, those in the background with the ids of their responses. */
function begun(stack: FaultStack, jobs: number): Promise<JobView[]> {
  return eventually(`${jobs} jobs run`, async () => {
    const found = await storedJobs(stack);
    const known = found.filter(
      ({ queue, attempts }) => attempts.length === 1 && (queue !== IN_BACKGROUND.queue || attempts[0]?.upstream_id),
    );
    return known.length === jobs && found;
  });
}

/** When the second attempts began, in milliseconds after `since`, the soonest first. */
async function waitsMs(stack: FaultStack, since: number): Promise<number[]> {
  const jobs = await storedJobs(stack);
  return jobs.map(({ attempts }) => (attempts[1]?.started_at ?? Number.NaN) * 1000 - since).sort((a, b) => a - b);
}

it.concurrent('orphans of a killed worker start again within seconds; what cannot be carried on with is marked, and billed again', async () => {
  const stack = await oneWorker();
  const run = faultRun(stack);
  for (const way of [{}, IN_BACKGROUND]) await submitAll(run, JOBS, '', way);
  await begun(stack, 2 * JOBS);
  await stack.addWorker();
  await stack.workers[0]?.kill();
  const killedAt = Date.now();
  await allEnded(run, 40_000);

  const waits = await waitsMs(stack, killedAt);
  expect(waits.at(-1)).toBeLessThan(MOST_MS);
  const faults = { kills: 1, waitP50Ms: waits[JOBS] ?? 0, waitMostMs: waits.at(-1) ?? 0 };
  const findings = await checkRun(run, '13', { faults, cutCalls: JOBS });
  const jobs = await storedJobs(stack);
  for (const job of jobs) {
    const direct = job.queue !== IN_BACKGROUND.queue;
    expect(courseOf(job)).toBe(`interrupted lost${direct ? ', possibly billed' : ''} → completed`);
    expect(job.attempts[0]?.counted).toBe(false);
    expect(job.attempts[0]?.log).toMatchObject([{ text: expect.stringContaining('worker that died') }]);
  }
  expect(findings.billed).toBe(findings.stored + JOBS);
  expect(findings.background).toEqual({ jobs: JOBS, billed: JOBS, marked: 0 });
}, 90_000);

it.concurrent('the only worker killed: the one that is started after it finds its orphans', async () => {
  const stack = await oneWorker();
  const run = faultRun(stack);
  for (const way of [{}, IN_BACKGROUND]) await submitAll(run, 1, '', way);
  await begun(stack, 2);
  await stack.workers[0]?.kill();
  await stack.addWorker();
  const startedAt = Date.now();
  await allEnded(run, 40_000);
  const waits = await waitsMs(stack, startedAt);
  expect(waits.at(-1)).toBeLessThan(MOST_MS);
  await checkRun(run, '13 alone', { faults: { kills: 1 }, cutCalls: 1 });
}, 90_000);
