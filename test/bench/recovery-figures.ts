/** What a run under kills came to, counted from the upstream's side and alike for every subject. */
import { type LedgerEntry, ledgerKey } from '@millrace/simulator';
import { median, round } from './figures.ts';
import type { JobEnd } from './recovery-subject.ts';

const MS_PER_SECOND = 1000;

/** How `recovery_seconds` is meant; printed with the figures. */
export const RECOVERY_DEFINITION =
  'of each job that the upstream was asked for again: from the kill in between until that request (a new call, or a ' +
  're-attach to its response) reached the upstream; first_recovery_seconds: the same for the first time that a job was hit';

export interface RunFacts {
  jobs: readonly JobEnd[];
  /** Jobs that still waited or ran when the run was over. */
  unfinished: number;
  ledger: readonly LedgerEntry[];
  /** Requests of each ledger key, ms, in order. */
  requests: ReadonlyMap<string, readonly number[]>;
  /** When each kill was sent, ms, in order. */
  killedAt: readonly number[];
}

/** The figures of one run, as they are printed. */
export function recoveryFigures({ jobs, unfinished, ledger, requests, killedAt }: RunFacts): Record<string, unknown> {
  const calls = new Map<string, number>();
  for (const { key } of ledger) calls.set(key, (calls.get(key) ?? 0) + 1);
  const count = (which: (job: JobEnd) => boolean): number => jobs.filter(which).length;
  const surplus = (job: JobEnd): number => Math.max(0, (calls.get(ledgerKey({ input: job.prompt })) ?? 0) - 1);
  const sum = (of: (job: JobEnd) => number): number => jobs.reduce((total, job) => total + of(job), 0);
  const waitsOfEach = [...requests.values()].map((times) => recoveriesMs(times, killedAt));
  const waits = waitsOfEach.flat();
  return {
    jobs: jobs.length,
    kills: killedAt.length,
    completed: count(({ outcome }) => outcome === 'completed'),
    failed: count(({ outcome }) => outcome === 'failed'),
    unfinished,
    lost: count(({ outcome }) => outcome === null) - unfinished,
    billed_calls: ledger.length,
    paid_twice: sum(surplus),
    marked: sum(({ marked }) => marked),
    paid_twice_unmarked: sum((job) => Math.max(0, surplus(job) - job.marked)),
    known_as_interrupted: count(({ interrupted }) => interrupted),
    orphans_running_again: waits.length,
    recovery_seconds: middleAndMost(waits),
    first_recovery_seconds: middleAndMost(waitsOfEach.flatMap((one) => one.slice(0, 1))),
  };
}

/**
 * From each kill until the request after it, ms. A call is shorter than the time between two kills, so the first kill
 * after a request is the only one that can have cut it.
 */
function recoveriesMs(times: readonly number[], killedAt: readonly number[]): number[] {
  return times.slice(1).flatMap((again, index) => {
    const before = times[index] as number;
    const kill = killedAt.find((at) => at >= before);
    return kill !== undefined && kill <= again ? [again - kill] : [];
  });
}

function middleAndMost(waitsMs: readonly number[]): { p50: number; max: number } | null {
  return waitsMs.length === 0 ? null : { p50: seconds(median(waitsMs)), max: seconds(Math.max(...waitsMs)) };
}

function seconds(ms: number): number {
  return round(ms / MS_PER_SECOND, 1);
}
