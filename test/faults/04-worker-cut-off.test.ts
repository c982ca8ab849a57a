/**
 * Workers are cut off from Redis for 15 s in the middle of calls, one with its connections closed, one with silence on
 * them. Their jobs go to another. What they paid for is taken if the job still has no answer, else refused.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CrashableRedis, crashableRedis } from '../harness/crashable-redis.ts';
import { elapsed } from '../harness/elapse.ts';
import { eventually } from '../harness/eventually.ts';
import { allEnded, checkRun, faultRun, storedJobs, submitAll } from '../harness/fault-run.ts';
import { type FaultStack, startFaultStack } from '../harness/fault-stack.ts';
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

it('workers cut off in mid-call: each job has one outcome, a paid answer is taken when it comes first, refused when not', async () => {
  const run = faultRun(stack);
  await Promise.all([closed, silent].map(({ url }) => stack.addWorker({ REDIS_URL: url })));
  const short = await submitAll(run, CONCURRENCY, `[[slow:${SHORT_MS}]]`);
  const long = await submitAll(run, CONCURRENCY, `[[slow:${LONG_MS}]]`);
  const ids = [...short, ...long];
  await eventually('all calls are under way', () => stack.simulator.stats().inFlight === ids.length);
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

  const jobs = new Map((await storedJobs(stack)).map((job) => [job.id, job]));
  for (const id of short) {
    const [first, second] = jobs.get(id)?.attempts ?? [];
    expect([first?.outcome, first?.reason, second?.outcome]).toEqual(['interrupted', 'lost', 'completed']);
  }
  for (const id of long) {
    const [first, second] = jobs.get(id)?.attempts ?? [];
    expect([first?.outcome, second?.outcome, second?.reason]).toEqual(['completed', 'interrupted', 'lost']);
  }
  await eventually('the needless calls were hung up', () => stack.simulator.stats().inFlight === 0);
  const takenBack = stack.simulator.ledger().length - ids.length;
  await checkRun(run, '04', { faults: { ...hits, takenBack }, cutCalls: ids.length });
}, 120_000);
