/**
 * What a worker finds that takes over background calls whose worker was killed: a response that is gone, that cannot be
 * shown just now, that comes under another's name, that stays queued; a checkpoint nobody can read, or none, because the
 * response's first event had not come yet. Each job ends, and each call that was paid for nothing is marked.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { queueKeys } from '../../packages/queue/src/keys.ts';
import { type CrashableRedis, crashableRedis } from '../harness/crashable-redis.ts';
import { eventually } from '../harness/eventually.ts';
import { allEnded, checkRun, faultRun, submitAll } from '../harness/fault-run.ts';
import { type FaultStack, IN_BACKGROUND, startFaultStack } from '../harness/fault-stack.ts';
import { coursesBy, storedJobs } from '../harness/stored-jobs.ts';

/** Of each kind. */
const JOBS = 5;
/** Neither over nor given up for its silence before the worker is killed. */
const CALL_MS = 5000;
const IDLE_SECONDS = 4;
/** More than one attempt asks before it leaves the response to the next one. */
const FAILED_RETRIEVES = 6;
/** Time for the kill, and for another worker to find that the response is still queued. */
const DEADLINE_MS = 15_000;

let redis: CrashableRedis;
let stack: FaultStack;
beforeAll(async () => {
  redis = await crashableRedis();
  stack = await startFaultStack({
    redisUrl: redis.url,
    upstream: { idleSeconds: IDLE_SECONDS },
    simulator: { latencyMs: CALL_MS },
  });
});
afterAll(async () => {
  await stack?.stop();
  await redis?.dispose();
});

it('whatever a retrieve comes to, each job ends, and what is billed beyond the answers is marked', async () => {
  const run = faultRun(stack);
  const deadline = new Date(Date.now() + DEADLINE_MS).toISOString();
  const groups = {
    well: await submitAll(run, JOBS, '', IN_BACKGROUND),
    gone: await submitAll(run, JOBS, '[[fault:gone x1]]', IN_BACKGROUND),
    unreadable: await submitAll(run, JOBS, `[[fault:unreadable x1 times=${FAILED_RETRIEVES}]]`, IN_BACKGROUND),
    wrongId: await submitAll(run, JOBS, '[[fault:wrongid x1]]', IN_BACKGROUND),
    stuck: await submitAll(run, JOBS, '[[fault:queued x1]]', { ...IN_BACKGROUND, deadline }),
    damaged: await submitAll(run, JOBS, '', IN_BACKGROUND),
    unheard: await submitAll(run, JOBS, '[[fault:mute x1]]', IN_BACKGROUND),
  };
  const ids = Object.values(groups).flat();
  await eventually('each call is under way, and has its checkpoint where it was told its id', async () => {
    const known = (await storedJobs(stack)).filter(({ attempts }) => attempts[0]?.upstream_id);
    return known.length === ids.length - JOBS && stack.simulator.stats().requests === ids.length;
  });
  await stack.workers[0]?.kill();
  const { job } = queueKeys(IN_BACKGROUND.queue);
  for (const id of groups.damaged) await redis.command('HSET', job(id), 'checkpoint', 'no checkpoint');
  const successor = await stack.addWorker();
  await allEnded(run, 60_000);

  const goneOrAnothers = ['interrupted lost → retry response_gone, possibly billed → completed'];
  expect(coursesBy(groups, await storedJobs(stack))).toEqual({
    well: ['interrupted lost → completed'],
    gone: goneOrAnothers,
    unreadable: ['interrupted lost → retry upstream_error → completed'],
    wrongId: goneOrAnothers,
    stuck: ['interrupted lost → failed deadline_exceeded, possibly billed'],
    damaged: ['interrupted lost, possibly billed → completed'],
    unheard: ['interrupted lost, possibly billed → completed'],
  });
  const { gone, unreadable, wrongid, queued, mute } = stack.simulator.stats().faults;
  const findings = await checkRun(run, '19', {
    faults: { gone, unreadable, wrongid, queued, mute },
    cutCalls: 0,
    completed: 6 * JOBS,
  });
  // A second call where the first was gone, another's, unknown or unheard; and the stuck ones answered nobody.
  expect(findings.background).toEqual({ jobs: 7 * JOBS, billed: 11 * JOBS, marked: 5 * JOBS });
  const cancelled = stack.simulator.ledger().filter(({ outcome }) => outcome === 'cancelled');
  expect(cancelled).toHaveLength(JOBS);
  const damaged = successor.lines.filter((line) => line.includes('A checkpoint could not be read'));
  expect(damaged).toHaveLength(JOBS);
  expect(successor.child.exitCode).toBeNull();
}, 120_000);
