/** kill -9 of a random worker every 5 s for a minute: its jobs go to the others, and what was paid twice is marked. */
import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CrashableRedis, crashableRedis } from '../harness/crashable-redis.ts';
import { elapsed } from '../harness/elapse.ts';
import { allEnded, checkRun, faultRun, submitAll } from '../harness/fault-run.ts';
import { type FaultStack, startFaultStack } from '../harness/fault-stack.ts';
import { jobRate, rateReturns } from '../harness/job-rate.ts';

const JOBS = 1100;
/** What a window and its beginning take, of some 14 jobs a second. */
const A_WINDOW = 250;
const WORKERS = 3;
const CONCURRENCY = 12;
/** 36 slots of 2.5 s: a thousand jobs outlast the kills. */
const CALL_MS: [number, number] = [1500, 3500];
const KILLS = 12;
const KILL_EVERY_MS = 5000;
/** Some 14 jobs a second: five seconds of them swing by a tenth, and that is the bar. */
const WINDOW_MS = 10_000;
const BACK_WITHIN_MS = 30_000;

let redis: CrashableRedis;
let stack: FaultStack;
beforeAll(async () => {
  redis = await crashableRedis();
  stack = await startFaultStack({
    redisUrl: redis.url,
    workers: WORKERS,
    queue: { concurrency: CONCURRENCY },
    simulator: { latencyMs: CALL_MS },
  });
});
afterAll(async () => {
  await stack?.stop();
  await redis?.dispose();
});

it('1,100 jobs under twelve kills of workers: all answered, once, every surplus call marked', async () => {
  const run = faultRun(stack);
  await submitAll(run, JOBS);
  const healthy = await jobRate(stack, WINDOW_MS);

  const began = performance.now();
  const killed = new Set<unknown>();
  for (let kill = 0; kill < KILLS; kill++) {
    await elapsed(kill * KILL_EVERY_MS, began);
    const living = stack.workers.filter((worker) => !killed.has(worker));
    const victim = living[randomInt(living.length)];
    await victim?.kill();
    killed.add(victim);
    await stack.addWorker();
  }
  const recovery = await rateReturns(stack, healthy, WINDOW_MS, BACK_WITHIN_MS, () => submitAll(run, A_WINDOW));
  await allEnded(run, 60_000);
  const findings = await checkRun(run, '01', {
    faults: { kills: killed.size, cut: stack.simulator.ledger().length - run.accepted.size, ...recovery },
    // A killed worker had at most this many calls under way.
    cutCalls: KILLS * CONCURRENCY,
  });
  expect(findings.stored).toBe(run.accepted.size);
}, 280_000);
