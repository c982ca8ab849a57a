/** Batches as the pages read them. Times are ms since 1970. */
import type { SpendView } from './spend.ts';

export interface BatchRow {
  id: string;
  queue: string;
  status: string;
  endpoint: string;
  created_at: number;
  expires_at: number;
  completion_window: string;
  /** Of the input's lines; 0 until it was read. */
  total: number;
  completed: number;
  failed: number;
  ended_at: number | null;
  /** Jobs a minute; null: not to be told. */
  per_minute: number | null;
  done_at: number | null;
  spend: SpendView;
  /** US dollars of the whole, if the rest is like what has ended; null: not to be told, or it has ended. */
  expected_usd: number | null;
}

/** The topic `batches`, and GET /api/batches. */
export interface BatchesView {
  batches: BatchRow[];
  more: boolean;
}

export interface FailedCode {
  /** `''`: of many others. */
  code: string;
  count: number;
  /** The first few of them that are still there. */
  examples: { id: string; custom_id: string; message: string }[];
}

export interface BatchDetails {
  metadata: Record<string, string> | null;
  priority: number;
  model: string | null;
  /** When it came to each status. */
  turned: [status: string, at: number][];
  /** Requests that have become jobs. */
  enqueued: number;
  files: Record<'input' | 'output' | 'errors', string | null>;
}

export interface BatchFailures {
  /** Lines that kept the batch from beginning. */
  lines: { line: number | null; code: string | null; message: string; param: string | null }[];
  codes: FailedCode[];
}

/** The topic `batch:<id>`. */
export interface BatchView {
  batch: BatchRow;
  details: BatchDetails;
  failures: BatchFailures;
  /** It was kept as long as batches are. */
  gone: boolean;
  stale: boolean;
}
