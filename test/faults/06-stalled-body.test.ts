/** A body that stops coming while its connection stays open: silence has a limit of its own, far below the call's. */
import { afterAll, beforeAll, it } from 'vitest';
import { type CrashableRedis, crashableRedis } from '../harness/crashable-redis.ts';
import { type FaultStack, startFaultStack } from '../harness/fault-stack.ts';
import { meetUpstreamFaults } from '../harness/upstream-fault.ts';

let redis: CrashableRedis;
let stack: FaultStack;
beforeAll(async () => {
  redis = await crashableRedis();
  stack = await startFaultStack({ redisUrl: redis.url, upstream: { idleSeconds: 1 } });
});
afterAll(async () => {
  await stack?.stop();
  await redis?.dispose();
});

it('a body that stalls half way ends after idleSeconds, is marked and the call is made again', async () => {
  await meetUpstreamFaults(stack, '06', [{ kind: 'stall', reason: 'stalled', jobs: 20, billed: true }]);
}, 90_000);
