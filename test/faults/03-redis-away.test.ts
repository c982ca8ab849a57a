/** Redis is away for twenty seconds, four times longer than locks live: work waits and goes on, nothing is done twice. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CrashableRedis, crashableRedis } from '../harness/crashable-redis.ts';
import { elapsed } from '../harness/elapse.ts';
import { allEnded, apiReady, checkRun, faultRun, submitAll, trySubmit } from '../harness/fault-run.ts';
import { type FaultStack, IN_BACKGROUND, startFaultStack } from '../harness/fault-stack.ts';
import { jobRate, rateReturns } from '../harness/job-rate.ts';
import { courseOf, storedJobs } from '../harness/stored-jobs.ts';

/** Of each way of calling, for one window and what comes before it. */
const JOBS = 250;
/** A range, or calls would end in waves, and a window's rate would depend on how many of them it holds. */
const CALL_MS: [number, number] = [200, 400];
const AWAY_MS = 20_000;
/** Calls that begin well before the outage and end after it, of each way. */
const LONG_JOBS = 4;
const LONG_MS = AWAY_MS + 10_000;
const WORKERS = 2;
const CONCURRENCY = 7;
const WINDOW_MS = 3000;

let redis: CrashableRedis;
let stack: FaultStack;
beforeAll(async () => {
  redis = await crashableRedis();
  stack = await startFaultStack({
    redisUrl: redis.url,
    workers: WORKERS,
    queue: { concurrency: CONCURRENCY },
    simulator: { latencyMs: CALL_MS },
  });
});
afterAll(async () => {
  await stack?.stop();
  await redis?.dispose();
});

it('a Redis that is away for longer than locks live: 503 meanwhile, then the same rate, and no call made or taken twice', async () => {
  const run = faultRun(stack);
  for (const way of [{}, IN_BACKGROUND])
    await submitAll(run, LONG_JOBS, `[[slow:${LONG_MS}]]`, { ...way, priority: 0 });
  let perWay = LONG_JOBS;
  const feed = async (): Promise<void> => {
    for (const way of [{}, IN_BACKGROUND]) await submitAll(run, JOBS, '', way);
    perWay += JOBS;
  };
  await feed();
  const healthy = await jobRate(stack, WINDOW_MS);
  const underWay = stack.simulator.stats().inFlight;
  await redis.stop();
  const began = performance.now();
  const refused = await trySubmit(run);
  expect(refused?.status).toBe(503);
  expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  await elapsed(AWAY_MS, began);
  await redis.start();
  await apiReady(stack);
  const awayMs = performance.now() - began;
  const recovery = await rateReturns(stack, healthy, WINDOW_MS, 15_000, feed);
  await allEnded(run, 60_000);

  const findings = await checkRun(run, '03', { faults: { awayMs, underWay, ...recovery }, cutCalls: 0 });
  expect(findings.billed).toBe(findings.stored);
  expect(findings.background).toEqual({ jobs: perWay, billed: perWay, marked: 0 });
  // Nobody's job was taken for lost: each has had its one attempt.
  expect([...new Set((await storedJobs(stack)).map(courseOf))]).toEqual(['completed']);
}, 150_000);
