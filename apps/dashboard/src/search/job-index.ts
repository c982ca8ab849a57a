/**
 * The index of jobs outside Redis: for what Redis cannot answer without reading everything. It is bounded, may lag
 * behind (and says how far), and can be thrown away: it is made again of what Redis has.
 */
import type { JobStatus } from '@millrace/core';

/** What jobs are looked for by; what is absent does not matter. All must hold. */
export interface JobQuery {
  /** Words of prompts and outputs; all must occur. `"…"` is a phrase, a trailing `*` a beginning. */
  text?: string;
  queues?: readonly string[];
  statuses?: readonly JobStatus[];
  models?: readonly string[];
  batch?: string;
  flow?: string;
  /** Name of the API key it was submitted with. */
  key?: string;
  /** An error's code. */
  code?: string;
  cause?: string;
  /** Each of these keys has this value. */
  metadata?: Readonly<Record<string, string>>;
  /** Submitted in this span, ms. */
  from?: number;
  until?: number;
}

export interface JobsFound {
  /** Newest first. */
  ids: string[];
  /** To look on from; null: that was all. */
  next: string | null;
}

/** Failures of one cause. */
export interface CohortRow {
  cause: string;
  reason: string | null;
  code: string;
  path: string | null;
  message: string;
  count: number;
  /** Jobs per bucket of the span asked for, oldest first. */
  trend: number[];
  /** The newest of them. */
  example: string;
  firstAt: number;
  lastAt: number;
  /** Jobs by queue and by model. */
  queues: Record<string, number>;
  models: Record<string, number>;
}

export interface IndexState {
  /** Jobs in it. */
  jobs: number;
  bytes: number;
  /** Everything up to then (ms) is in it; null: it is still being made for the first time. */
  until: number | null;
  /** Jobs in it go back to here, ms; null: there are none. */
  since: number | null;
  /** How much of the first making is done, 0 to 1; null: it is not being made. */
  making: number | null;
  /** Why there is none, in words; null: there is one. */
  trouble: string | null;
}

export interface JobIndex {
  find(query: JobQuery, limit: number, after: string | null): Promise<JobsFound>;
  /** Failed jobs that ended in the span, by cause, the most frequent first. `total`: of all causes. */
  cohorts(span: {
    from: number;
    until: number;
    queue?: string;
    buckets: number;
  }): Promise<{ total: number; cohorts: CohortRow[] }>;
  /** The failed jobs of a cause that ended in the span, newest first. */
  jobsOf(cause: string, span: { from: number; until: number; queue?: string }, limit: number): Promise<string[]>;
  state(): IndexState;
  close(): Promise<void>;
}
