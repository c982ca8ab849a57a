/**
 * Workers are cut off from Redis for 15 s in the middle of calls, one with its connections closed, one with silence on
 * them. Their jobs go to another. What they paid for directly is taken if the job still has no answer, else refused;
 * what is made in the background is read by both, and neither cancels it.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CrashableRedis, crashableRedis } from '../harness/crashable-redis.ts';
import { elapsed } from '../harness/elapse.ts';
import { eventually } from '../harness/eventually.ts';
import { allEnded, checkRun, faultRun, submitAll } from '../harness/fault-run.ts';
import { type FaultStack, IN_BACKGROUND, startFaultStack } from '../harness/fault-stack.ts';
import { coursesBy, responsesOf, storedJobs } from '../harness/stored-jobs.ts';
import { type TcpProxy, tcpProxy } from '../harness/tcp-proxy.ts';

const CUT_MS = 15_000;
const CONCURRENCY = 10;
/** Ends during the cut, also where it is made again: the cut-off worker comes too late. */
const SHORT_MS = 4000;
/** Ends after the cut, and where it is made again, later still: the cut-off worker comes first. */
const LONG_MS = 19_000;

let redis: CrashableRedis;
let stack: FaultStack;
let closed: TcpProxy;
let silent: TcpProxy;
beforeAll(async () => {
  redis = await crashableRedis();
  [closed, silent] = await Promise.all([tcpProxy(redis.port), tcpProxy(redis.port)]);
  stack = await startFaultStack({ redisUrl: redis.url, workers: 0, queue: { concurrency: CONCURRENCY } });
});
afterAll(async () => {
  closed?.heal();
  silent?.heal();
  await stack?.stop();
  await Promise.all([closed?.close(), silent?.close()]);
  await redis?.dispose();
});

it('workers cut off in mid-call: each job has one outcome, a paid answer is never lost, and none in the background is paid twice', async () => {
  const run = faultRun(stack);
  await Promise.all([closed, silent].map(({ url }) => stack.addWorker({ REDIS_URL: url })));
  const calls = {
    short: await submitAll(run, CONCURRENCY, `[[slow:${SHORT_MS}]]`),
    long: await submitAll(run, CONCURRENCY, `[[slow:${LONG_MS}]]`),
    shortInBackground: await submitAll(run, CONCURRENCY, `[[slow:${SHORT_MS}]]`, IN_BACKGROUND),
    longInBackground: await submitAll(run, CONCURRENCY, `[[slow:${LONG_MS}]]`, IN_BACKGROUND),
  };
  const count = Object.values(calls).flat().length;
  await eventually('all calls are under way', () => stack.simulator.stats().inFlight === count);
  await eventually('each in the background has its checkpoint', async () =>
    (await storedJobs(stack)).every(
      ({ queue, attempts }) => queue !== IN_BACKGROUND.queue || attempts[0]?.upstream_id !== null,
    ),
  );
  closed.cut();
  silent.stall();
  const began = performance.now();
  // As the jobs of two, so that all can be taken over at once.
  await Promise.all([stack.addWorker(), stack.addWorker()]);
  await elapsed(CUT_MS, began);
  const hits = { closed: closed.hit(), silent: silent.hit() };
  closed.heal();
  silent.heal();
  await allEnded(run, 60_000);

  const jobs = await storedJobs(stack);
  const { longInBackground, ...courses } = coursesBy(calls, jobs);
  expect(courses).toEqual({
    short: ['interrupted lost, possibly billed → completed'],
    long: ['completed → interrupted lost, possibly billed'],
    shortInBackground: ['interrupted lost → completed'],
  });
  // Both read the same response to its end at the same time: either may be the first to say so.
  const either = ['interrupted lost → completed', 'completed → interrupted lost'];
  expect(either).toEqual(expect.arrayContaining(longInBackground ?? []));
  for (const job of jobs.filter(({ queue }) => queue === IN_BACKGROUND.queue)) expect(responsesOf(job)).toHaveLength(1);
  const findings = await checkRun(run, '04', { faults: hits, cutCalls: 2 * CONCURRENCY });
  expect(findings.billed).toBe(findings.stored + 2 * CONCURRENCY);
  expect(findings.background).toEqual({ jobs: 2 * CONCURRENCY, billed: 2 * CONCURRENCY, marked: 0 });
  expect(stack.simulator.ledger().filter(({ outcome }) => outcome === 'cancelled')).toEqual([]);
}, 120_000);
