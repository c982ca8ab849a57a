/** kill -9 of workers whose calls run in the background upstream: whoever takes a job carries on with its response. */
import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CrashableRedis, crashableRedis } from '../harness/crashable-redis.ts';
import { elapsed } from '../harness/elapse.ts';
import { allEnded, checkRun, faultRun, submitAll } from '../harness/fault-run.ts';
import { type FaultStack, IN_BACKGROUND, startFaultStack } from '../harness/fault-stack.ts';
import { responsesOf, storedJobs } from '../harness/stored-jobs.ts';

const JOBS = 300;
const WORKERS = 3;
const CONCURRENCY = 12;
const CALL_MS: [number, number] = [1500, 3500];
const KILLS = 3;
const KILL_EVERY_MS = 5000;

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

it('300 jobs under kills of workers: billed calls are the jobs, and whatever lies in the window before the first event is marked', async () => {
  const run = faultRun(stack);
  await submitAll(run, JOBS, '', IN_BACKGROUND);
  const began = performance.now();
  const killed = new Set<unknown>();
  for (let kill = 0; kill < KILLS; kill++) {
    await elapsed((kill + 1) * KILL_EVERY_MS, began);
    const living = stack.workers.filter((worker) => !killed.has(worker));
    const victim = living[randomInt(living.length)];
    await victim?.kill();
    killed.add(victim);
    await stack.addWorker();
  }
  await allEnded(run, 90_000);
  const jobs = await storedJobs(stack);
  const reattached = jobs.filter(({ attempts }) =>
    attempts.some(({ reason, possibly_billed }) => reason === 'lost' && !possibly_billed),
  );
  const findings = await checkRun(run, '18', {
    faults: { kills: killed.size, reattached: reattached.length },
    cutCalls: 0,
    completed: JOBS,
  });
  // A call that was killed before its first event has no checkpoint: it is the only kind that may be made twice.
  const inTheWindow = jobs.flatMap(({ attempts }) => attempts.filter(({ possibly_billed }) => possibly_billed));
  for (const attempt of inTheWindow) expect(attempt).toMatchObject({ reason: 'lost', upstream_id: null });
  expect(findings.billed - JOBS).toBeLessThanOrEqual(inTheWindow.length);
  for (const job of reattached) expect(responsesOf(job)).toHaveLength(1);
}, 180_000);
