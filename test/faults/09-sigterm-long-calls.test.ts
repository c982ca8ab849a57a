/** SIGTERM while calls take a minute: the worker leaves within its grace, and its jobs are whole and another's. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CrashableRedis, crashableRedis } from '../harness/crashable-redis.ts';
import { eventually } from '../harness/eventually.ts';
import { allEnded, checkRun, faultRun, storedJobs, submitAll } from '../harness/fault-run.ts';
import { type FaultStack, GRACE_SECONDS, startFaultStack } from '../harness/fault-stack.ts';

const CALL_MS = 60_000;
const CALLS = 20;
/** Beyond the grace: giving back, hanging up, ending the process, on a busy machine. */
const LEAVING_MS = 5000;

let redis: CrashableRedis;
let stack: FaultStack;
beforeAll(async () => {
  redis = await crashableRedis();
  // One attempt each: a job that is given back must not have used it up.
  stack = await startFaultStack({ redisUrl: redis.url, queue: { concurrency: CALLS, attempts: 1 } });
});
afterAll(async () => {
  await stack?.stop();
  await redis?.dispose();
});

it('a worker told to stop amid 60 s calls exits 0 within its grace and gives the jobs back, marked, no attempt used', async () => {
  const run = faultRun(stack);
  await submitAll(run, CALLS, `[[fault:slow x1 ms=${CALL_MS}]]`);
  // Not taken any more by a worker that leaves.
  await submitAll(run, CALLS);
  await eventually('all slots are taken', () => stack.simulator.stats().inFlight === CALLS);
  const began = performance.now();
  expect(await stack.workers[0]?.stop()).toBe(0);
  const leftAfterMs = performance.now() - began;
  expect(leftAfterMs).toBeLessThan(GRACE_SECONDS * 1000 + LEAVING_MS);

  const givenBack = (await storedJobs(stack)).filter(({ attempts }) => attempts.length > 0);
  expect(givenBack).toHaveLength(CALLS);
  for (const { status, attempts } of givenBack) {
    expect([status, attempts]).toMatchObject([
      'queued',
      [{ outcome: 'interrupted', reason: 'shutdown', counted: false, possibly_billed: true }],
    ]);
  }
  await stack.addWorker();
  await allEnded(run, 30_000);
  const findings = await checkRun(run, '09', { faults: { cut: givenBack.length, leftAfterMs }, cutCalls: CALLS });
  expect(findings.billed).toBe(findings.stored + CALLS);
}, 90_000);
