/** What `bench recovery` needs of a system that it kills the workers of. Three subjects, one run. */
import type { Simulator } from '@millrace/simulator';

/** Alike for every subject. */
export interface RecoveryTerms {
  /** Calls in flight of one worker process. */
  concurrency: number;
  /** An answer takes this long, in milliseconds: drawn from this range, alike for the same prompt. */
  callMs: [min: number, max: number];
  model: string;
}

export interface RecoverySubject {
  simulator: Simulator;
  /** Starts a worker process; resolves when it is ready. */
  startWorker(): Promise<{ kill(): Promise<void> }>;
  /** Resolves once every job is accepted. @throws when one is not */
  submit(prompts: readonly string[]): Promise<void>;
  /** Accepted jobs without an outcome. */
  left(): Promise<number>;
  /** What became of every job that was accepted. */
  jobs(): Promise<JobEnd[]>;
  stop(): Promise<void>;
}

export interface JobEnd {
  prompt: string;
  /** null: it has none, or the job is gone. */
  outcome: 'completed' | 'failed' | null;
  /** Calls that it says may have been paid in vain. */
  marked: number;
  /** It says that a worker was lost while it ran, whether or not it says what that cost. */
  interrupted: boolean;
}
