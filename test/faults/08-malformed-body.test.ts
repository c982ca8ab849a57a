/** Answers that are none: JSON that breaks off, and one line of 64 MB. Neither harms the worker or the jobs beside. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type CrashableRedis, crashableRedis } from '../harness/crashable-redis.ts';
import { type FaultStack, IN_BACKGROUND, startFaultStack } from '../harness/fault-stack.ts';
import { call } from '../harness/http.ts';
import { meetUpstreamFaults } from '../harness/upstream-fault.ts';

const BROKEN = 50;
const HUGE = 4;
/** Four such lines at once, held whole and copied while they grow, on top of an idle worker; a leak would pass it. */
const MOST_RESIDENT_BYTES = 1024 ** 3;

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

async function residentBytes(): Promise<number> {
  const { text } = await call('GET', `${stack.workers[0]?.url}/metrics`);
  return Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1]);
}

it('a malformed body and a line of 64 MB: each call is marked and made again, in bounded memory', async () => {
  const { courses, findings } = await meetUpstreamFaults(stack, '08', { badjson: BROKEN, hugeline: HUGE });
  const twice = ['retry malformed, possibly billed → completed'];
  expect(courses).toEqual({ none: ['completed'], badjson: twice, hugeline: twice });
  expect(findings.billed).toBe(findings.stored + BROKEN + HUGE);
  expect(findings.marked).toBe(BROKEN + HUGE);
  expect(await residentBytes()).toBeLessThan(MOST_RESIDENT_BYTES);
}, 90_000);

it('a malformed event and one of 64 MB in mid-stream of background calls: each is read on, and billed calls are the jobs', async () => {
  const faults = { badjson: BROKEN, hugeline: HUGE };
  const { courses, findings } = await meetUpstreamFaults(stack, '08 background', faults, IN_BACKGROUND);
  const once = ['completed'];
  expect(courses).toEqual({ none: once, badjson: once, hugeline: once });
  expect(findings.billed).toBe(findings.stored);
  expect(findings.marked).toBe(0);
  expect(await residentBytes()).toBeLessThan(MOST_RESIDENT_BYTES);
}, 90_000);
