/** SIGTERM while calls take a minute: the worker leaves within its grace, and its jobs are whole and another's. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CrashableRedis, crashableRedis } from '../harness/crashable-redis.ts';
import { eventually } from '../harness/eventually.ts';
import { allEnded, checkRun, faultRun, submitAll } from '../harness/fault-run.ts';
import { type FaultStack, GRACE_SECONDS, IN_BACKGROUND, startFaultStack } from '../harness/fault-stack.ts';
import { type JobView, readJob } from '../harness/stack.ts';

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

it('a worker told to stop amid 60 s calls exits 0 within its grace and gives the jobs back, no attempt used, what is lost marked', async () => {
  const run = faultRun(stack);
  const direct = await submitAll(run, CALLS, `[[fault:slow x1 ms=${CALL_MS}]]`);
  const background = await submitAll(run, CALLS, `[[fault:slow x1 ms=${CALL_MS}]]`, IN_BACKGROUND);
  // Not taken any more by a worker that leaves.
  await submitAll(run, CALLS);
  await eventually('all slots are taken', () => stack.simulator.stats().inFlight === 2 * CALLS);
  const began = performance.now();
  expect(await stack.workers[0]?.stop()).toBe(0);
  const leftAfterMs = performance.now() - began;
  expect(leftAfterMs).toBeLessThan(GRACE_SECONDS * 1000 + LEAVING_MS);

  const jobs = async (ids: string[]): Promise<JobView[]> => Promise.all(ids.map((id) => readJob(stack, id)));
  const givenBack = { status: 'queued', attempts: [{ outcome: 'interrupted', reason: 'shutdown', counted: false }] };
  for (const job of [...(await jobs(direct)), ...(await jobs(background))]) expect(job).toMatchObject(givenBack);
  expect((await jobs(direct)).every(({ attempts }) => attempts[0]?.possibly_billed)).toBe(true);
  expect((await jobs(background)).some(({ attempts }) => attempts[0]?.possibly_billed)).toBe(false);

  await stack.addWorker();
  await eventually('another one carries on with what is in the background', async () =>
    (await jobs(background)).every(({ attempts }) => attempts.length === 2),
  );
  // Still the first calls, which go on for most of a minute.
  expect(stack.simulator.ledger().filter((entry) => entry.background)).toEqual([]);
  stack.simulator.finish();
  await allEnded(run, 30_000);
  const findings = await checkRun(run, '09', { faults: { cut: CALLS, leftAfterMs }, cutCalls: CALLS });
  expect(findings.billed).toBe(findings.stored + CALLS);
  expect(findings.marked).toBe(CALLS);
  expect(findings.background).toEqual({ jobs: CALLS, billed: CALLS, marked: 0 });
}, 90_000);
