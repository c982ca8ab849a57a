/** A flow: named steps, each a job or a job for each of a list, that feed one another. */
import type { JobError, Usage } from './outcome.ts';

export const FLOW_STATUSES = ['in_progress', 'completed', 'failed', 'cancelled'] as const;
export type FlowStatus = (typeof FLOW_STATUSES)[number];

/**
 * What a step's failure does. `fail`: no further step starts, and the flow fails. `skip`: the steps that need it are left
 * out. `continue`: they start, with null for what it lacks; of a list, with those that were answered.
 */
export const FAILURE_POLICIES = ['fail', 'skip', 'continue'] as const;
export type FailurePolicy = (typeof FAILURE_POLICIES)[number];

export interface FlowStep {
  /** Steps that must be over before: those named, and those whose outputs its templates name. */
  needs: string[];
  /** A list, or the template of one. Absent: one job. */
  forEach?: unknown;
  onFailure: FailurePolicy;
  /** A body of POST /v1/jobs, with templates. */
  job: Record<string, unknown>;
}

export interface FlowDefinition {
  name: string | null;
  metadata: Record<string, string> | null;
  input: unknown;
  steps: Record<string, FlowStep>;
}

export type StepStatus = 'waiting' | 'in_progress' | 'completed' | 'failed' | 'skipped';

export interface StepState {
  status: StepStatus;
  /** How many jobs it has; 0 before it starts. */
  total: number;
  completed: number;
  failed: number;
  /** One job for each of a list: outputs are lists. */
  each: boolean;
  /** Why it could not start, or the error of its first job that failed. */
  error: JobError | null;
  usage: Usage | null;
  /** The flow under whose id its jobs were made: another one's, where that was done again from here. */
  madeBy: string;
  /** Of those of a list that is done again: jobs that were completed before, by their places. */
  kept?: Record<number, string>;
}

/** What templates may name of a step. */
export const STEP_FIELDS = ['output_text', 'output_parsed', 'id', 'status'] as const;
