/** What the upstream has charged to its limits, from its own ledger: input, and `max_output_tokens` or else the output. */
import type { LedgerEntry } from '@millrace/simulator';
import { REQUESTS_PER_MINUTE, TOKENS_PER_MINUTE } from './limited-upstream.ts';
import type { BenchJob } from './workload.ts';

const SECONDS_PER_MINUTE = 60;

export interface Charge {
  key: string;
  /** When it was admitted, ms since the epoch. */
  at: number;
  tokens: number;
}

/** Of these jobs, in the order of their admission; what others have called is left out. */
export function chargesOf(ledger: readonly LedgerEntry[], jobs: readonly BenchJob[]): Charge[] {
  const asked = new Map(jobs.map((job) => [job.key, job]));
  return ledger
    .flatMap(({ key, at, input_tokens: input, output_tokens: output }) => {
      const job = asked.get(key);
      return job === undefined ? [] : [{ key, at, tokens: input + (job.maxOutputTokens ?? output) }];
    })
    .sort((a, b) => a.at - b.at);
}

/** How long the limit takes to admit these at its pace, in seconds. @param share of the limit that is theirs, 0 … 1 */
export function idealSeconds(charges: readonly Charge[], share = 1): number {
  const tokens = charges.reduce((sum, charge) => sum + charge.tokens, 0);
  const minutes = Math.max(tokens / TOKENS_PER_MINUTE, charges.length / REQUESTS_PER_MINUTE) / share;
  return minutes * SECONDS_PER_MINUTE;
}

/** Tokens charged in each second since `beganAt` (ms since the epoch), until the last one. */
export function tokensEachSecond(charges: readonly Charge[], beganAt: number): number[] {
  const seconds: number[] = [];
  for (const { at, tokens } of charges) {
    const second = Math.max(0, Math.floor((at - beganAt) / 1000));
    while (seconds.length <= second) seconds.push(0);
    seconds[second] = (seconds[second] ?? 0) + tokens;
  }
  return seconds;
}
