/** An upstream that accepts a call and then says nothing, not even that it has taken it: time limits end the call. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type CrashableRedis, crashableRedis } from '../harness/crashable-redis.ts';
import { type FaultStack, IN_BACKGROUND, startFaultStack } from '../harness/fault-stack.ts';
import { meetUpstreamFaults } from '../harness/upstream-fault.ts';

const JOBS = 20;

let redis: CrashableRedis;
let stack: FaultStack;
beforeEach(async () => {
  redis = await crashableRedis();
  stack = await startFaultStack({ redisUrl: redis.url, queue: { timeoutSeconds: 2 }, upstream: { idleSeconds: 1 } });
});
afterEach(async () => {
  await stack?.stop();
  await redis?.dispose();
});

it('a direct call that is never answered ends at its time limit, is marked and made again', async () => {
  const { courses, findings } = await meetUpstreamFaults(stack, '05', { silent: JOBS });
  expect(courses).toEqual({ none: ['completed'], silent: ['retry timeout, possibly billed → completed'] });
  expect(findings.marked).toBe(JOBS);
}, 90_000);

it('a background call that is silent before its first event has no id: it is marked and made again, and both are billed', async () => {
  const { courses, findings } = await meetUpstreamFaults(stack, '05 background', { mute: JOBS }, IN_BACKGROUND);
  expect(courses).toEqual({ none: ['completed'], mute: ['retry stalled, possibly billed → completed'] });
  expect(findings.marked).toBe(JOBS);
  expect(findings.billed).toBe(findings.stored + findings.marked);
}, 90_000);
