/** One timed round: jobs that wait already go through one worker, and what that took of which process is counted. */
import type { Queue } from 'bullmq';
import { eventually } from '../harness/eventually.ts';
import { cpuSeconds } from './process-figures.ts';

const RUN_BOUND_MS = 120_000;

/** The processes whose CPU is counted. */
export interface Measured {
  worker: number | undefined;
  redis: number | undefined;
}

export interface RoundFigures {
  workerCpuSeconds: number;
  redisCpuSeconds: number;
  seconds: number;
}

/**
 * Fills the paused queue by `fill`, then lets the worker at it until nothing is left.
 * @throws when that takes more than two minutes, or when a job fails: a round with failures measures something else
 */
export async function timedRound(
  queue: Queue,
  measured: Measured,
  fill: () => Promise<unknown>,
): Promise<RoundFigures> {
  await queue.pause();
  await fill();
  const worker = cpuSeconds(measured.worker);
  const redis = cpuSeconds(measured.redis);
  const began = performance.now();
  await queue.resume();
  await eventually('all jobs have ended', async () => (await left(queue)) === 0, RUN_BOUND_MS);
  const figures = {
    workerCpuSeconds: cpuSeconds(measured.worker) - worker,
    redisCpuSeconds: cpuSeconds(measured.redis) - redis,
    seconds: (performance.now() - began) / 1000,
  };
  const failed = await queue.getFailedCount();
  if (failed > 0) throw new Error(`${failed} jobs failed`);
  return figures;
}

async function left(queue: Queue): Promise<number> {
  const counts = await queue.getJobCounts('wait', 'prioritized', 'delayed', 'active');
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
