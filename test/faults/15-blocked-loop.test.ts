/** A worker whose event loop is blocked is slow, not dead. */
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { DEAD_AFTER_MS } from '../../packages/queue/src/pace-of-life.ts';
import { type CrashableRedis, crashableRedis } from '../harness/crashable-redis.ts';
import { eventually } from '../harness/eventually.ts';
import { allEnded, checkRun, faultRun, submitAll } from '../harness/fault-run.ts';
import { type FaultStack, IN_BACKGROUND, startFaultStack } from '../harness/fault-stack.ts';
import type { Findings } from '../harness/findings.ts';
import type { JobView } from '../harness/stack.ts';
import { courseOf, responsesOf, storedJobs } from '../harness/stored-jobs.ts';

const BLOCK_MS = 2 * DEAD_AFTER_MS;
/** Ends a little after the block, so that the blocked worker reads it to its end. */
const CALL_MS = BLOCK_MS + 1000;
/** The default. */
const LONG_LOCK_SECONDS = 30;
/** Gone, and the job with it, well before the block is over. */
const SHORT_LOCK_SECONDS = 3;
const PRELOAD = {
  NODE_OPTIONS: `--import ${join(import.meta.dirname, '..', 'harness', 'preload-block.mjs')}`,
  BLOCK_MS: String(BLOCK_MS),
};

const stacks: { stack: FaultStack; redis: CrashableRedis }[] = [];
afterAll(async () => {
  for (const { stack, redis } of stacks) {
    await stack.stop();
    await redis.dispose();
  }
});

/**
 * One job whose worker is blocked in the middle of its call, with another worker at hand. On a stack of its own: most of
 * it is waiting, so several run side by side.
 */
async function blockAmidCall(
  name: string,
  lockSeconds: number,
  way = {},
): Promise<{ job: JobView; findings: Findings; stack: FaultStack }> {
  const redis = await crashableRedis();
  const stack = await startFaultStack({
    redisUrl: redis.url,
    workers: 0,
    worker: { lockSeconds },
    simulator: { latencyMs: CALL_MS },
  });
  stacks.push({ stack, redis });
  const slow = await stack.addWorker(PRELOAD);
  const run = faultRun(stack);
  await submitAll(run, 1, '', way);
  await eventually('the call is under way', async () => {
    const attempt = (await storedJobs(stack))[0]?.attempts[0];
    return way === IN_BACKGROUND ? attempt?.upstream_id : stack.simulator.stats().inFlight === 1;
  });
  await stack.addWorker();
  slow.child.kill('SIGUSR2');
  await allEnded(run, 40_000);
  const blocks = (): number => slow.lines.filter((line) => line.includes('the event loop was blocked')).length;
  await eventually('the block is over', () => blocks() > 0);
  const findings = await checkRun(run, name, { faults: { blocks: blocks() }, cutCalls: 1 });
  expect(stack.workers.flatMap(({ lines }) => lines).filter((line) => line.includes('fell silent'))).toEqual([]);
  const [job] = await storedJobs(stack);
  return { job: job as JobView, findings, stack };
}

it.concurrent('a loop blocked for much longer than a heartbeat may be silent keeps its jobs: no second call', async () => {
  const { job, findings } = await blockAmidCall('15', LONG_LOCK_SECONDS);
  expect(courseOf(job)).toBe('completed');
  expect(findings.billed).toBe(1);
}, 90_000);

it.concurrent('a loop blocked for longer than its locks loses its jobs to others, which is no crash: what it paid for is taken', async () => {
  const { job, findings } = await blockAmidCall('15 locks', SHORT_LOCK_SECONDS);
  expect(courseOf(job)).toBe('completed → interrupted lost, possibly billed');
  expect(findings.billed).toBe(2);
}, 90_000);

it.concurrent('a loop blocked for longer than its locks amid a background call: both read the one response, billed once', async () => {
  const { job, findings, stack } = await blockAmidCall('15 background', SHORT_LOCK_SECONDS, IN_BACKGROUND);
  expect(['completed → interrupted lost', 'interrupted lost → completed']).toContain(courseOf(job));
  expect(responsesOf(job)).toHaveLength(1);
  expect(findings.background).toEqual({ jobs: 1, billed: 1, marked: 0 });
  expect(stack.simulator.ledger()).toMatchObject([{ outcome: 'completed' }]);
}, 90_000);
