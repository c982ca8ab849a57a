/** One run: the mixed jobs wait already, three cold workers are let at them, and the upstream's ledger is the judge. */
import { loadavg } from 'node:os';
import type { ConfigInput } from '@millrace/core';
import type { SimulatorOptions } from '@millrace/simulator';
import { eventually } from '../../harness/eventually.ts';
import { round } from '../figures.ts';
import { type Charge, chargesOf, idealSeconds } from './charges.ts';
import { type Ended, type Fleet, startFleet } from './fleet.ts';
import { type LimitedUpstream, startLimitedUpstream } from './limited-upstream.ts';
import { mixedJobs } from './workload.ts';

const RUN_BOUND_MS = 240_000;

export interface MixedTerms {
  /** As the workers' configuration has it; `{}`: to be learned. */
  limit: NonNullable<ConfigInput['limits']>[string];
  simulator?: SimulatorOptions;
  /** Goes on beside the jobs; told to end when they have. */
  beside?: (upstream: LimitedUpstream, ended: AbortSignal) => Promise<void>;
}

export interface MixedRun {
  /** ms since the epoch. */
  beganAt: number;
  seconds: number;
  completed: number;
  failed: number;
  /** Of the jobs alone. */
  charges: Charge[];
  /** Requests over the limit, whosever they were. */
  limited: number;
}

/** @throws when the jobs have not ended within four minutes */
export async function mixedRun({ limit, simulator = {}, beside }: MixedTerms): Promise<MixedRun> {
  const jobs = mixedJobs();
  const upstream = await startLimitedUpstream(simulator);
  try {
    const fleet = await startFleet(upstream.url, limit);
    try {
      await fleet.pause('generate');
      await fleet.submit('generate', jobs);
      const over = new AbortController();
      const beganAt = Date.now();
      const began = performance.now();
      const going = async (): Promise<Ended & { at: number }> => {
        try {
          await fleet.resume('generate');
          return await allEnded(fleet, jobs.length);
        } finally {
          over.abort();
        }
      };
      const [ended] = await Promise.all([going(), beside?.(upstream, over.signal)]);
      const [ledger, { limited }] = await Promise.all([upstream.ledger(), upstream.stats()]);
      const { completed, failed, at } = ended;
      return { beganAt, seconds: (at - began) / 1000, completed, failed, charges: chargesOf(ledger, jobs), limited };
    } finally {
      await fleet.stop();
    }
  } finally {
    await upstream.stop();
  }
}

/** What became of the jobs, and when the last one had ended (of performance.now()). */
function allEnded(fleet: Fleet, count: number): Promise<Ended & { at: number }> {
  const look = async (): Promise<Ended & { at: number }> => {
    const ended = await fleet.ended('generate');
    // Thrown, so that a run that does not end says how far it came.
    if (ended.completed + ended.failed < count) throw new Error(`still open: ${JSON.stringify(ended)}`);
    return { ...ended, at: performance.now() };
  };
  return eventually('all jobs have ended', look, RUN_BOUND_MS);
}

/**
 * The figures that every contender's line has. Its ideal is of what was charged: who loses jobs is charged for less.
 * @param share of the limit that is the jobs' own, 0 … 1
 */
export function mixedFigures(
  { charges, seconds, completed, failed, limited }: Omit<MixedRun, 'beganAt'>,
  share = 1,
): Record<string, unknown> {
  const ideal = idealSeconds(charges, share);
  return {
    jobs: completed + failed,
    ideal_seconds: round(ideal, 2),
    seconds: round(seconds, 2),
    ratio: round(seconds / ideal, 3),
    limited,
    limited_share: round(limited / (limited + charges.length), 4),
    failed,
    failed_share: round(failed / (completed + failed), 3),
    load: round(loadavg()[0] ?? Number.NaN, 1),
  };
}
