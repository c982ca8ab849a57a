/** Failures by their cause: the topic `failures:<hours>:<queue>`, and one of them with its newest jobs. */
import type { Cause } from '@millrace/core';

export interface CohortView {
  cause: Cause;
  count: number;
  /** Of them, those of which another job was made since: they are not retried with the rest. */
  retried: number;
  /** Of all failures in the span, 0 to 1. */
  share: number;
  /** Jobs in each part of the span, oldest first. */
  trend: number[];
  firstAt: number;
  lastAt: number;
  queues: Record<string, number>;
  models: Record<string, number>;
  /** The newest of them, and the beginning of what it was told; null: it is gone. */
  example: { id: string; message: string } | null;
}

export interface FailuresView {
  /** In the span, of all causes. */
  total: number;
  /** Jobs that ended in the span, failed or not. */
  finished: number;
  cohorts: CohortView[];
  /** Everything up to then is counted, ms; null: it is still being read for the first time. */
  until: number | null;
  /** Why nothing can be told, in words; null: it can. */
  trouble: string | null;
}

/** The topic `cohort:<hours>:<queue>:<cause>`. */
export interface CohortDetailView {
  /** null: no failure has this cause in the span. */
  cohort: CohortView | null;
  /** Newest first. */
  jobs: { id: string; queue: string; model: string | null; finishedAt: number; attempts: number; message: string }[];
  trouble: string | null;
}
