/** Flows as the pages read them. Times are ms since 1970. */
import type { SpendView } from './spend.ts';

export interface FlowRow {
  id: string;
  name: string | null;
  status: string;
  created_at: number;
  finished_at: number | null;
  /** Steps by status. */
  steps: Record<string, number>;
}

/** The topic `flows`, and GET /api/flows. */
export interface FlowsView {
  flows: FlowRow[];
  more: boolean;
}

export interface StepCard {
  name: string;
  status: string;
  type: string;
  /** Its jobs' queue, by name; of a type's own queue the type. */
  queue: string;
  needs: string[];
  /** Of those, the ones it still waits for. */
  waits_for: string[];
  each: boolean;
  on_failure: string;
  total: number;
  ended: number;
  /** Null: too many to count while they go on. */
  completed: number | null;
  failed: number | null;
  done_at: number | null;
  error: { code: string; message: string } | null;
  tokens: { input: number; output: number } | null;
  /** Where it is one job only. */
  job: string | null;
}

export interface FlowHead {
  id: string;
  name: string | null;
  status: string;
  created_at: number;
  finished_at: number | null;
  retry_of: string | null;
  retried_in: string | null;
  metadata: Record<string, string> | null;
  /** When its last step will be over; null: not to be told, as while steps wait. */
  done_at: number | null;
}

/** The topic `flow:<id>`. */
export interface FlowView {
  flow: FlowHead;
  /** Names by layer: each step stands after all it needs. */
  layers: string[][];
  /** By name. */
  steps: Record<string, StepCard>;
  /** Of its own jobs that have ended. */
  spend: SpendView;
  /** Looked at for that: so many of so many jobs. */
  counted: { jobs: number; of: number };
  expected_usd: number | null;
  gone: boolean;
  stale: boolean;
}

export interface StepJobRow {
  /** Its place in the step's list, from 0. */
  index: number;
  id: string;
  /** Null: it is gone. */
  status: string | null;
  error: { code: string; message: string } | null;
  /** The beginning of what it said; null: nothing, or too much to look into here. */
  said: string | null;
}

/** GET /api/flows/:id/steps/:step. */
export interface StepJobsView {
  total: number;
  jobs: StepJobRow[];
  /** Where to look on from; null: that was all. */
  next: number | null;
}
