/**
 * The job as everything outside Redis sees it. How it is kept is packages/queue's affair; what it is, is said here.
 */
import type { AttemptReason, JobError, Usage } from './outcome.ts';

/** OpenAI's statuses. The last four are terminal: a job reaches exactly one of them, once. */
export const JOB_STATUSES = ['queued', 'in_progress', 'completed', 'failed', 'cancelled', 'incomplete'] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

export type TerminalStatus = Extract<JobStatus, 'completed' | 'failed' | 'cancelled' | 'incomplete'>;

export function isTerminal(status: JobStatus): status is TerminalStatus {
  return status !== 'queued' && status !== 'in_progress';
}

export type JobType = 'generate' | 'extract';

/** 0 is served first; 5 is what a job has that asks for nothing. */
export const HIGHEST_PRIORITY = 0;
export const LOWEST_PRIORITY = 9;
export const DEFAULT_PRIORITY = 5;

/** What an extraction asks for, as submitted. */
export interface ExtractBody {
  /** Its text; absent where it is images only. */
  document?: string;
  /** URLs and data URIs. */
  images?: string[];
  /** A schema of the configuration by its name, or one sent along. */
  schema: string | { name: string; schema: Record<string, unknown> };
  /** Every record of this schema that the document has; absent: one. */
  many?: boolean;
  instructions?: string;
  max_output_tokens?: number;
}

/** A Responses request as it came: fields pass through untouched. */
export type ResponsesBody = Record<string, unknown>;

/** The APIs an upstream may be called by. */
export type UpstreamApi = 'responses' | 'chat';

/** When an attempt came how far: milliseconds of Redis's clock, as near as its worker knows it. */
export interface AttemptTimeline {
  /** The worker took it from its queue. */
  taken_at: number;
  /** So long its upstream and its limit kept it, and what there was too little of; null: nothing that is known. */
  waited_ms: number;
  waited_for: 'requests' | 'tokens' | 'in_flight' | 'learning' | 'closed' | 'breaker' | null;
  /** Its first call was sent; null: none was. */
  called_at: number | null;
  /** The first piece of an answer came; null: none did, or the answer came whole. */
  first_token_at: number | null;
}

/** What a worker had to say of an attempt. Never of what it asked, or was answered. */
export interface AttemptLine {
  at: number;
  level: 'info' | 'warn' | 'error';
  text: string;
}

/** One call to the upstream, recorded before it is sent. */
export interface Attempt {
  /** Counts every start of the job, from 1; also the fencing epoch of that start. */
  number: number;
  /** The worker process that made it. */
  worker: string;
  started_at: number;
  finished_at: number | null;
  /** null while it runs. */
  outcome: 'completed' | 'incomplete' | 'failed' | 'retry' | 'cancelled' | 'interrupted' | null;
  reason: AttemptReason | null;
  error: JobError | null;
  upstream_id: string | null;
  /** Which way it went; null while it runs, and where no call was made. */
  api: UpstreamApi | null;
  usage: Usage | null;
  /** The request may have reached the upstream and its answer was not read whole: it may be on the bill. */
  possibly_billed: boolean;
  /** Whether it used up one of the queue's `attempts`. */
  counted: boolean;
  /** null: it has not ended, or nobody could tell. */
  timeline: AttemptTimeline | null;
  /** At most 20 lines; null: nothing was said. */
  log: AttemptLine[] | null;
}

/** The job record: owner of the status. Times are milliseconds of Redis's clock. */
export interface Job {
  id: string;
  queue: string;
  type: JobType;
  status: JobStatus;
  /** The model asked for, or the queue's; null when the upstream is to be asked for its first. */
  model: string | null;
  priority: number;
  created_at: number;
  /** When the current or last attempt began. */
  started_at: number | null;
  finished_at: number | null;
  /** Not to be started before. */
  delayed_until: number | null;
  /** Failed with `deadline_exceeded` when not done by then. */
  deadline: number | null;
  metadata: Record<string, string> | null;
  webhook_url: string | null;
  retry_of: string | null;
  /** The newest job that was made of it by a retry. */
  retried_as: string | null;
  /** `store: false`: it is to be forgotten once it was delivered. */
  forget: boolean;
  /** Cached under this hash of what matters of its request: equal ones share one call. */
  cache: string | null;
  /** The job whose call it shares, while that goes on. */
  follows: string | null;
  /** The job whose answer it has: no call was made for it. */
  answered_by: string | null;
  /** The flow it is of, and the name of its step; both or neither, but in jobs made before steps were noted. */
  flow: string | null;
  step: string | null;
  /** The name of the API key that submitted it; null: nobody's. What it costs is that key's. */
  key: string | null;
  /** Calls of tools that the upstream ran, by the type of their items. */
  tool_calls: Record<string, number> | null;
  /** How many things are noted of calls that were not its last (see `readTurns`). */
  turns: number;
  /** The batch it is of, and what its line calls it. */
  batch: { id: string; custom_id: string; chat: boolean } | null;
  error: JobError | null;
  usage: Usage | null;
  attempts: Attempt[];
  body: ResponsesBody | ExtractBody;
}

/** The API by which a job was answered, or was tried last; null: it has not been called, or no such call has ended. */
export function apiOf({ attempts }: Pick<Job, 'attempts'>): UpstreamApi | null {
  return attempts.findLast(({ api }) => api !== null)?.api ?? null;
}

/** What a producer hands in, checked and complete. */
export interface NewJob {
  /** Where its id must be known before it is stored; absent: it gets one. */
  id?: string;
  queue: string;
  type: JobType;
  model: string | null;
  priority: number;
  delayMs: number;
  /** Milliseconds since 1970, or null. */
  deadline: number | null;
  metadata: Record<string, string> | null;
  webhookUrl: string | null;
  /** A job of the same queue. */
  retryOf: string | null;
  /** true: it is not made where that job was retried before, or is gone. */
  once?: boolean;
  /** Its events are wanted: it is called as a stream, and they are kept for a while. */
  stream: boolean;
  /** `store: false`: gone once it was delivered, or soon after its end. */
  forget: boolean;
  /** The line of a batch that it is; its id is made of that. `chat`: it came, and is answered, as a Chat Completion. */
  batch: { id: string; place: number; customId: string; chat: boolean } | null;
  /** false: it makes a call of its own, whatever its queue's cache holds. */
  cache?: boolean;
  /** The flow it is of, and the name of its step. */
  flow?: string;
  step?: string;
  /** The name of the API key that submits it; null: nobody's. */
  key: string | null;
  /** The caller's key for this submission: the same caller, key and body is the same job. Null: always a new one. */
  idempotency: { caller: string; key: string } | null;
  body: ResponsesBody | ExtractBody;
}
