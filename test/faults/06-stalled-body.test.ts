/** A body that stops coming while its connection stays open: silence has a limit of its own, far below the call's. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type CrashableRedis, crashableRedis } from '../harness/crashable-redis.ts';
import { type FaultStack, IN_BACKGROUND, startFaultStack } from '../harness/fault-stack.ts';
import { meetUpstreamFaults } from '../harness/upstream-fault.ts';

const JOBS = 20;

let redis: CrashableRedis;
let stack: FaultStack;
beforeEach(async () => {
  redis = await crashableRedis();
  stack = await startFaultStack({ redisUrl: redis.url, upstream: { idleSeconds: 1 } });
});
afterEach(async () => {
  await stack?.stop();
  await redis?.dispose();
});

it('a body that stalls half way ends after idleSeconds, is marked and the call is made again', async () => {
  const { courses, findings } = await meetUpstreamFaults(stack, '06', { stall: JOBS });
  expect(courses).toEqual({ none: ['completed'], stall: ['retry stalled, possibly billed → completed'] });
  expect(findings.billed).toBe(findings.stored + JOBS);
  expect(findings.marked).toBe(JOBS);
}, 90_000);

it('a background stream that stalls half way is re-attached to in the same attempt: billed calls are the jobs', async () => {
  const { courses, findings } = await meetUpstreamFaults(stack, '06 background', { stall: JOBS }, IN_BACKGROUND);
  expect(courses).toEqual({ none: ['completed'], stall: ['completed'] });
  expect(findings.billed).toBe(findings.stored);
  expect(findings.marked).toBe(0);
}, 90_000);
