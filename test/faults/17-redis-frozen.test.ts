/** Redis freezes for longer than a heartbeat may be silent: everybody was unheard, so nobody is taken for dead. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DEAD_AFTER_MS } from '../../packages/queue/src/pace-of-life.ts';
import { type CrashableRedis, crashableRedis } from '../harness/crashable-redis.ts';
import { elapsed } from '../harness/elapse.ts';
import { eventually } from '../harness/eventually.ts';
import { allEnded, checkRun, faultRun, submitAll } from '../harness/fault-run.ts';
import { type FaultStack, IN_BACKGROUND, startFaultStack } from '../harness/fault-stack.ts';
import { courseOf, storedJobs } from '../harness/stored-jobs.ts';

/** Of each way of calling. */
const JOBS = 10;
const FROZEN_MS = 2 * DEAD_AFTER_MS;
/** Long enough for whoever was wrongly taken for dead to be taken over. */
const CALL_MS = FROZEN_MS + 2 * DEAD_AFTER_MS;
/** The default: here it is only by the heartbeat that anybody could be taken for dead. */
const LOCK_SECONDS = 30;

let redis: CrashableRedis;
let stack: FaultStack;
beforeAll(async () => {
  redis = await crashableRedis();
  stack = await startFaultStack({
    redisUrl: redis.url,
    workers: 2,
    queue: { concurrency: JOBS },
    worker: { lockSeconds: LOCK_SECONDS },
    simulator: { latencyMs: CALL_MS },
  });
});
afterAll(async () => {
  redis?.thaw();
  await stack?.stop();
  await redis?.dispose();
});

it('calls of two workers that are under way while Redis is frozen are answered once, in their first attempt', async () => {
  const run = faultRun(stack);
  for (const way of [{}, IN_BACKGROUND]) await submitAll(run, JOBS, '', way);
  await eventually('all calls are under way', () => stack.simulator.stats().inFlight === 2 * JOBS);
  redis.freeze();
  const frozenAt = performance.now();
  await elapsed(FROZEN_MS, frozenAt);
  redis.thaw();
  const frozenMs = performance.now() - frozenAt;
  await allEnded(run, 40_000);

  const findings = await checkRun(run, '17', { faults: { frozenMs }, cutCalls: 0 });
  expect(findings.billed).toBe(findings.stored);
  expect([...new Set((await storedJobs(stack)).map(courseOf))]).toEqual(['completed']);
  expect(stack.workers.flatMap(({ lines }) => lines).filter((line) => line.includes('fell silent'))).toEqual([]);
}, 90_000);
