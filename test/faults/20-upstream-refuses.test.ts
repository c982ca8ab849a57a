/** An upstream that turns everybody away, or fails for everybody: nobody calls it until it may be called, no attempt is used up, all is done. */
import { afterAll, expect, it } from 'vitest';
import { type CrashableRedis, crashableRedis } from '../harness/crashable-redis.ts';
import { eventually } from '../harness/eventually.ts';
import { allEnded, checkRun, faultRun, submitAll } from '../harness/fault-run.ts';
import { type FaultStack, startFaultStack } from '../harness/fault-stack.ts';
import { storedJobs } from '../harness/stored-jobs.ts';

const AFTER_SECONDS = 90;
const DOWN_MS = 60_000;
const WORKERS = 3;
const CONCURRENCY = 10;
const STORM = WORKERS * CONCURRENCY;
/** Of the stack whose upstream fails: nine calls in flight, which fail too when ten failures have opened the breaker. */
const FEW = 3;

/** A stack of its own for each: they take a minute and more, in which nothing happens, so they run side by side. */
async function refusingStack(attempts: number, concurrency = CONCURRENCY): Promise<FaultStack> {
  const redis = await crashableRedis();
  const stack = await startFaultStack({
    redisUrl: redis.url,
    workers: WORKERS,
    queue: { concurrency, attempts },
    simulator: { latencyMs: 50 },
  });
  stacks.push({ stack, redis });
  return stack;
}

/** Calls so far, once none has come for half a second: those that were under way have been answered. */
async function quiet({ simulator }: FaultStack): Promise<number> {
  let seen = -1;
  let since = 0;
  await eventually('no more calls come', () => {
    const { requests } = simulator.stats();
    if (requests !== seen) [seen, since] = [requests, performance.now()];
    return performance.now() - since > 500;
  });
  return seen;
}

const stacks: { stack: FaultStack; redis: CrashableRedis }[] = [];
afterAll(async () => {
  for (const { stack, redis } of stacks) {
    await stack.stop();
    await redis.dispose();
  }
});

it.concurrent('a storm of 429s with Retry-After 90: no call before that, no attempt used up, and all done soon after', async () => {
  const stack = await refusingStack(1);
  const run = faultRun(stack);
  // So that it is known that nothing limits, and all are called at once.
  await submitAll(run, STORM);
  await allEnded(run, 30_000);

  const { requests: before } = stack.simulator.stats();
  stack.simulator.setFaults([{ kind: '429', probability: 1, afterSeconds: AFTER_SECONDS }]);
  await submitAll(run, 200);
  await eventually('the first is turned away', () => stack.simulator.stats().faults['429'] > 0);
  const began = performance.now();
  const turnedAway = await quiet(stack);
  stack.simulator.setFaults([]);
  await eventually(
    'somebody calls again',
    () => stack.simulator.stats().requests > turnedAway,
    (AFTER_SECONDS + 10) * 1000,
  );
  const quietMs = performance.now() - began;
  expect(quietMs).toBeGreaterThan(AFTER_SECONDS * 1000 - 500);
  await allEnded(run, 30_000);
  const doneMs = performance.now() - began;
  expect(doneMs).toBeLessThan(120_000);

  const findings = await checkRun(run, '20', {
    faults: { turnedAway: turnedAway - before, quietMs, doneMs },
    cutCalls: 0,
  });
  expect(findings.billed).toBe(findings.stored);
  // With one attempt allowed each, completing proves that being turned away used none up.
  const refused = (await storedJobs(stack))
    .flatMap(({ attempts }) => attempts)
    .filter(({ outcome }) => outcome === 'retry');
  expect(refused.length).toBeGreaterThan(0);
  for (const attempt of refused) expect(attempt).toMatchObject({ reason: 'rate_limited', counted: false });
}, 200_000);

it.concurrent('502s of a proxy for a minute: nobody calls but a probe now and then, and no attempt is used up for it', async () => {
  const stack = await refusingStack(5, FEW);
  const run = faultRun(stack);
  await submitAll(run, STORM);
  await allEnded(run, 30_000);

  const { requests: before } = stack.simulator.stats();
  stack.simulator.setFaults([{ kind: '502html', probability: 1 }]);
  const began = performance.now();
  await submitAll(run, 200);
  const failed = (): number => stack.simulator.stats().faults['502html'];
  await eventually('calls fail', () => failed() >= 10);
  // It opens within 20 failures, those included that were under way then.
  const atOpening = await quiet(stack);
  expect(atOpening - before).toBeLessThanOrEqual(20);
  await eventually('the minute is over', () => performance.now() - began > DOWN_MS, DOWN_MS + 1000);
  // 1, 2, 4, 8, 16, 30 s apart.
  const probes = stack.simulator.stats().requests - atOpening;
  expect(probes).toBeGreaterThanOrEqual(3);
  expect(probes).toBeLessThanOrEqual(8);
  stack.simulator.setFaults([]);
  await allEnded(run, 60_000);

  const findings = await checkRun(run, '20 down', { faults: { failed: atOpening - before, probes }, cutCalls: 0 });
  expect(findings.billed).toBe(findings.stored);
  // A job whose backoff is short may fail twice before it opens: what counts is that no probe used up an attempt.
  const tries = (await storedJobs(stack)).flatMap(({ attempts }) => attempts);
  const retried = tries.filter(({ outcome }) => outcome === 'retry');
  expect(retried.filter(({ counted }) => !counted).length).toBeGreaterThanOrEqual(probes);
  expect(retried.filter(({ counted }) => counted).length).toBeLessThanOrEqual(atOpening - before);
}, 200_000);
