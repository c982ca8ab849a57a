/** The upstream's connection ends in the middle of an answer, politely or not: half an answer is never taken for one. */
import { afterAll, beforeAll, it } from 'vitest';
import { type CrashableRedis, crashableRedis } from '../harness/crashable-redis.ts';
import { type FaultStack, startFaultStack } from '../harness/fault-stack.ts';
import { meetUpstreamFaults } from '../harness/upstream-fault.ts';

let redis: CrashableRedis;
let stack: FaultStack;
beforeAll(async () => {
  redis = await crashableRedis();
  stack = await startFaultStack({ redisUrl: redis.url });
});
afterAll(async () => {
  await stack?.stop();
  await redis?.dispose();
});

it('FIN and RST in the middle of a body: each call is marked and made again', async () => {
  await meetUpstreamFaults(stack, '07', [
    { kind: 'fin', reason: 'connection', jobs: 50, billed: true },
    { kind: 'rst', reason: 'connection', jobs: 50, billed: true },
  ]);
}, 90_000);
