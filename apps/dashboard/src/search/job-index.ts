/**
 * The index of jobs outside Redis: for what Redis cannot answer without reading everything. It is bounded, may lag
 * behind (and says how far), and can be thrown away: it is made again of what Redis has.
 */
import type { JobStatus } from '@millrace/core';
import type { Bounds } from './index-bounds.ts';

/** What jobs are looked for by; what is absent does not matter. All must hold. */
export interface JobQuery {
  /** Words of prompts and outputs; all must occur. `"…"` is a phrase, a trailing `*` a beginning. */
  text?: string;
  queues?: readonly string[];
  /** What is queued and what is in progress is one to the index: whoever asks for one of them must look again. */
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
  /** Submitted in this span, ms: `from` and later, before `until`. */
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
  /** Of them, those of which another job was made since. */
  retried: number;
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

/** Failed jobs that ended in this span (ms): `from` and later, before `until`. */
export interface FailureSpan {
  from: number;
  until: number;
  queue?: string;
}

export interface Cohorts {
  /** Failed jobs of all causes. */
  total: number;
  /** Jobs that ended in the span, in whatever way. */
  finished: number;
  /** The most frequent first; at most 200. */
  cohorts: CohortRow[];
}

export interface IndexState {
  /** Jobs in it. */
  jobs: number;
  bytes: number;
  /** Everything up to then (ms) is in it; null: it is still being made for the first time. */
  until: number | null;
  /** Jobs in it go back to here, ms; null: there are none. */
  since: number | null;
  /** How much of the (next) making is done, 0 to 1; null: it is not being made. */
  making: number | null;
  /** Why there is none, in words; null: there is one. */
  trouble: string | null;
  /** What it holds at most. */
  bounds: Bounds;
}

/** All but `state` throw ShedError 503 `index_unavailable`, saying why, where there is no index. */
export interface JobIndex {
  find(query: JobQuery, limit: number, after: string | null): Promise<JobsFound>;
  cohorts(span: FailureSpan & { buckets: number }): Promise<Cohorts>;
  /** The failed jobs of a cause that ended in the span, newest first; `left`: only those that were not retried yet. */
  jobsOf(cause: string, span: FailureSpan, limit: number, left: boolean): Promise<string[]>;
  /** Drops what was found in it and turned out to be gone from Redis. */
  forget(ids: readonly string[]): Promise<void>;
  state(): IndexState;
  close(): Promise<void>;
}
