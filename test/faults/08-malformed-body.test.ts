/** Answers that are none: JSON that breaks off, and one line of 64 MB. Neither harms the worker or the jobs beside. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CrashableRedis, crashableRedis } from '../harness/crashable-redis.ts';
import { type FaultStack, startFaultStack } from '../harness/fault-stack.ts';
import { call } from '../harness/http.ts';
import { meetUpstreamFaults } from '../harness/upstream-fault.ts';

/** Four such lines at once, held whole and copied while they grow, on top of an idle worker; a leak would pass it. */
const MOST_RESIDENT_BYTES = 1024 ** 3;

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

it('a malformed body and a line of 64 MB: each call is marked and made again, in bounded memory', async () => {
  await meetUpstreamFaults(stack, '08', [
    { kind: 'badjson', reason: 'malformed', jobs: 50, billed: true },
    { kind: 'hugeline', reason: 'malformed', jobs: 4, billed: true },
  ]);
  const { text } = await call('GET', `${stack.workers[0]?.url}/metrics`);
  const resident = Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1]);
  expect(resident).toBeGreaterThan(0);
  expect(resident).toBeLessThan(MOST_RESIDENT_BYTES);
}, 90_000);
