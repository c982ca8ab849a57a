/** An upstream that accepts a call and then says nothing: the call's own time limit ends it. */
import { afterAll, beforeAll, it } from 'vitest';
import { type CrashableRedis, crashableRedis } from '../harness/crashable-redis.ts';
import { type FaultStack, startFaultStack } from '../harness/fault-stack.ts';
import { meetUpstreamFaults } from '../harness/upstream-fault.ts';

let redis: CrashableRedis;
let stack: FaultStack;
beforeAll(async () => {
  redis = await crashableRedis();
  stack = await startFaultStack({ redisUrl: redis.url, queue: { timeoutSeconds: 2 } });
});
afterAll(async () => {
  await stack?.stop();
  await redis?.dispose();
});

it('a call that is accepted and never answered ends at its time limit, is marked and made again', async () => {
  await meetUpstreamFaults(stack, '05', [{ kind: 'silent', reason: 'timeout', jobs: 20, billed: false }]);
}, 90_000);
