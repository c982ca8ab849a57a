/** What happened in each minute, kept as rollups: see rollups.ts for how long. */
import type { TerminalStatus } from '@millrace/core';

export interface MinuteFigures {
  /** Minutes since 1970, of Redis's clock. */
  minute: number;
  submitted: number;
  finished: Record<TerminalStatus, number>;
  /** Attempts that ended, by `outcome:reason`. */
  attempts: Record<string, number>;
  /** By model; one that was not named is ''. */
  tokens: Record<string, { input: number; output: number; cached: number }>;
  /** Milliseconds from submission to outcome, of all that finished. */
  jobMs: number;
}
