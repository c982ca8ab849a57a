/** What a run has cost, in tokens, and what had been paid before it began. */
import type { Job, Millrace } from './millrace.ts';

export interface Bill {
  paid: number;
  paidBefore: number;
  jobsDone: number;
  /** Of them, those that were done before this run began. */
  doneBefore: number;
}

/** The bill of jobs that have ended; one that ended before the run began costs it nothing. */
export function billOf(jobs: readonly Job[], began: number): Bill {
  const before = jobs.filter((job) => endedBefore(job, began));
  const tokens = (some: readonly Job[]): number => some.reduce((sum, { usage }) => sum + (usage?.total_tokens ?? 0), 0);
  return {
    paid: tokens(jobs) - tokens(before),
    paidBefore: tokens(before),
    jobsDone: jobs.length,
    doneBefore: before.length,
  };
}

/** @param began seconds since the epoch */
export function endedBefore({ timings }: Job, began: number): boolean {
  return timings.finished_at !== null && timings.finished_at < began;
}

/** The bill of jobs by their ids, which have ended. */
export async function billOfJobs({ ended, began }: Millrace, ids: readonly string[]): Promise<Bill> {
  const jobs: Job[] = [];
  for (const id of ids) jobs.push(await ended(id));
  return billOf(jobs, began);
}

/** The bill in words. */
export function billInWords({ paid, paidBefore, jobsDone, doneBefore }: Bill): string {
  const number = (tokens: number): string => tokens.toLocaleString('en');
  if (doneBefore === 0) return `cost: ${number(paid)} tokens for ${jobsDone} jobs`;
  const already = `already done: ${doneBefore} of ${jobsDone} jobs, for ${number(paidBefore)} tokens then`;
  return `${already}; cost of this run: ${number(paid)} tokens`;
}
