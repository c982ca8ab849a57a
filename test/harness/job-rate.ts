/** Jobs finished a second, before a fault and after it: what was healed works as fast as before. */
import { eventually } from './eventually.ts';
import type { FaultStack } from './fault-stack.ts';
import { type QueueJobs, queueJobs } from './stored-jobs.ts';

/** What of the healthy rate must be back. */
const BACK = 0.9;

const ended = ({ completed, failed, cancelled, incomplete }: QueueJobs): number =>
  completed + failed + cancelled + incomplete;

/** Until every call that is under way at a fleet's start, or just after a fault, has had its time. */
const STEADY_WITHIN_MS = 20_000;

/** Resolves once as many jobs have ended as run at once: a fleet that has only just begun finishes none. */
async function steady(stack: FaultStack): Promise<void> {
  const first = await eventually('jobs run', async () => {
    const jobs = await queueJobs(stack);
    return jobs.active > 0 && jobs;
  });
  await eventually(
    'the jobs that ran have ended',
    async () => ended(await queueJobs(stack)) - ended(first) >= first.active,
    STEADY_WITHIN_MS,
  );
}

/**
 * The rate over a window of at least `windowMs` that begins when jobs end as they come.
 * @throws when the jobs run out meanwhile: an idle fleet's rate says nothing.
 */
export async function jobRate(stack: FaultStack, windowMs: number): Promise<number> {
  await steady(stack);
  const before = ended(await queueJobs(stack));
  const began = performance.now();
  await eventually('the window is over', () => performance.now() - began >= windowMs, windowMs + 1000);
  const jobs = await queueJobs(stack);
  const seconds = (performance.now() - began) / 1000;
  if (jobs.waiting === 0) throw new Error('the jobs ran out while their rate was measured');
  return (ended(jobs) - before) / seconds;
}

export interface Recovery {
  healthyPerSecond: number;
  healedPerSecond: number;
  /** From the call until the end of the window in which the rate was back. */
  backAfterMs: number;
}

/**
 * Waits until a window has at least 90 % of the healthy rate.
 * @param feed submits jobs enough for one window: called before each, so that few are left over after the last
 * @throws when none has within `withinMs`, or when the jobs run out.
 */
export async function rateReturns(
  stack: FaultStack,
  healthyPerSecond: number,
  windowMs: number,
  withinMs: number,
  feed?: () => Promise<unknown>,
): Promise<Recovery> {
  const began = performance.now();
  const seen: number[] = [];
  for (;;) {
    await feed?.();
    const healedPerSecond = await jobRate(stack, windowMs);
    seen.push(Math.round(healedPerSecond));
    const backAfterMs = Math.round(performance.now() - began);
    if (healedPerSecond >= BACK * healthyPerSecond) return { healthyPerSecond, healedPerSecond, backAfterMs };
    if (backAfterMs > withinMs)
      throw new Error(`of ${Math.round(healthyPerSecond)} jobs/s only ${seen.join(', ')} came back`);
  }
}
