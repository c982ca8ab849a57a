/** Redis is at its maxmemory: nothing is acknowledged that is not kept, what was accepted goes on, and room is enough. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CrashableRedis, crashableRedis } from '../harness/crashable-redis.ts';
import { eventually } from '../harness/eventually.ts';
import { allEnded, apiReady, checkRun, faultRun, submitAll, trySubmit } from '../harness/fault-run.ts';
import { type FaultStack, startFaultStack } from '../harness/fault-stack.ts';
import { call, submitLines } from '../harness/http.ts';
import { jobRate, rateReturns } from '../harness/job-rate.ts';
import { queueJobs } from '../harness/stored-jobs.ts';

const JOBS = 800;
const JOBS_A_WINDOW = 500;
const CONCURRENCY = 10;
/** A range, or calls would end in waves, and a window's rate would depend on how many of them it holds. */
const CALL_MS: [number, number] = [100, 300];
const WINDOW_MS = 3000;
/** Three windows: at once, where nobody else keeps the machine busy. */
const BACK_WITHIN_MS = 9000;
/** What is left when the limit is set: filled by a few dozen jobs of this size. */
const ROOM_BYTES = 2 * 1024 * 1024;
const LARGE_CHARACTERS = 50_000;
const MOST_SUBMITS = 400;
const REFUSALS = 20;

let redis: CrashableRedis;
let stack: FaultStack;
beforeAll(async () => {
  redis = await crashableRedis();
  stack = await startFaultStack({
    redisUrl: redis.url,
    workers: 2,
    queue: { concurrency: CONCURRENCY },
    simulator: { latencyMs: CALL_MS },
  });
});
afterAll(async () => {
  await stack?.stop();
  await redis?.dispose();
});

async function usedBytes(): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(String(await redis.command('INFO', 'memory')))?.[1]);
}

it('at maxmemory: 503 with Retry-After and nothing stored, accepted jobs end, and with room all goes on by itself', async () => {
  const run = faultRun(stack);
  // Priority 0 is the plain list: what takes a job from it is refused by a full Redis, unless it is told not to.
  await submitAll(run, JOBS, '', { priority: 0 });
  const healthy = await jobRate(stack, WINDOW_MS);

  await redis.command('CONFIG', 'SET', 'maxmemory', String((await usedBytes()) + ROOM_BYTES));
  const large = 'm'.repeat(LARGE_CHARACTERS);
  let refusals = 0;
  for (let n = 0; n < MOST_SUBMITS && refusals < REFUSALS; n++) {
    const reply = await trySubmit(run, large);
    if (reply?.status === 202) continue;
    refusals += 1;
    expect([reply?.status, reply?.body]).toMatchObject([503, { error: { code: 'redis_full' } }]);
    expect(Number(reply?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  }
  // Idle first: a job that is taken as another ends is let pass anyway.
  expect((await call('POST', `${stack.api.url}/v1/queues/generate/pause`)).status).toBe(200);
  await eventually('nothing runs', async () => (await queueJobs(stack)).active === 0);
  // Below what is in use: whatever ends from now on, there is no room.
  await redis.command('CONFIG', 'SET', 'maxmemory', '1mb');
  const [line] = await submitLines(stack.api.url, [{ type: 'generate', request: { input: 'one more' } }]);
  expect(line?.error?.code).toBe('redis_full');
  const { completed: before, waiting } = await queueJobs(stack);
  expect(waiting).toBeGreaterThan(CONCURRENCY);
  expect((await call('POST', `${stack.api.url}/v1/queues/generate/resume`)).status).toBe(200);
  await eventually('jobs end in a full Redis', async () => (await queueJobs(stack)).completed > before + CONCURRENCY);
  await allEnded(run, 60_000);
  expect((await trySubmit(run))?.status).toBe(503);

  await redis.command('CONFIG', 'SET', 'maxmemory', '0');
  await apiReady(stack);
  const feed = () => submitAll(run, JOBS_A_WINDOW);
  const recovery = await rateReturns(stack, healthy, WINDOW_MS, BACK_WITHIN_MS, feed);
  await allEnded(run, 60_000);
  for (const { child } of [stack.api, ...stack.workers]) expect(child.exitCode).toBeNull();
  const findings = await checkRun(run, '10', { faults: { refusals, ...recovery }, cutCalls: 0 });
  // Neither a job that was acknowledged and is not there, nor one that was refused and is.
  expect(findings.stored).toBe(run.accepted.size);
}, 120_000);
