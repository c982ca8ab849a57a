/** Redis is away for ten seconds, five times longer than locks live: work waits and goes on, nothing is done twice. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CrashableRedis, crashableRedis } from '../harness/crashable-redis.ts';
import { elapsed } from '../harness/elapse.ts';
import { allEnded, apiReady, checkRun, faultRun, submitAll, trySubmit } from '../harness/fault-run.ts';
import { type FaultStack, startFaultStack } from '../harness/fault-stack.ts';
import { jobRate, rateReturns } from '../harness/job-rate.ts';

const JOBS = 1600;
const AWAY_MS = 10_000;
const WORKERS = 2;
const CONCURRENCY = 10;
const CALL_MS = 200;
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

it('a Redis that is away for longer than locks live: 503 meanwhile, then the same rate, and no call made twice', async () => {
  const run = faultRun(stack);
  await submitAll(run, JOBS);
  const healthy = await jobRate(stack, WINDOW_MS);
  await redis.stop();
  const began = performance.now();
  const refused = await trySubmit(run);
  expect(refused?.status).toBe(503);
  expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  await elapsed(AWAY_MS, began);
  await redis.start();
  await apiReady(stack);
  const awayMs = performance.now() - began;
  const recovery = await rateReturns(stack, healthy, WINDOW_MS, 15_000);
  await allEnded(run, 60_000);
  const findings = await checkRun(run, '03', { faults: { awayMs, ...recovery }, cutCalls: 0 });
  expect(findings.billed).toBe(findings.stored);
}, 120_000);
