/** The upstream's connection ends in the middle of an answer, politely or not: half an answer is never taken for one. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type CrashableRedis, crashableRedis } from '../harness/crashable-redis.ts';
import { type FaultStack, IN_BACKGROUND, startFaultStack } from '../harness/fault-stack.ts';
import { meetUpstreamFaults } from '../harness/upstream-fault.ts';

const JOBS = 50;

let redis: CrashableRedis;
let stack: FaultStack;
beforeEach(async () => {
  redis = await crashableRedis();
  stack = await startFaultStack({ redisUrl: redis.url });
});
afterEach(async () => {
  await stack?.stop();
  await redis?.dispose();
});

it('FIN and RST in the middle of a body: each call is marked and made again', async () => {
  const { courses, findings } = await meetUpstreamFaults(stack, '07', { fin: JOBS, rst: JOBS });
  const twice = ['retry connection, possibly billed → completed'];
  expect(courses).toEqual({ none: ['completed'], fin: twice, rst: twice });
  expect(findings.billed).toBe(findings.stored + 2 * JOBS);
  expect(findings.marked).toBe(2 * JOBS);
}, 90_000);

it('FIN, RST and a missing end in mid-stream of background calls: each is read on, and billed calls are the jobs', async () => {
  const faults = { fin: JOBS, rst: JOBS, noterminal: JOBS };
  const { courses, findings } = await meetUpstreamFaults(stack, '07 background', faults, IN_BACKGROUND);
  const once = ['completed'];
  expect(courses).toEqual({ none: once, fin: once, rst: once, noterminal: once });
  expect(findings.billed).toBe(findings.stored);
  expect(findings.marked).toBe(0);
}, 90_000);
