/** Jobs as they are listed and looked for. */
import type { JobStatus } from '@millrace/core';
import type { WaitingFor } from '@millrace/queue';
import type { IndexState } from '../search/job-index.ts';

export interface TextPart {
  text: string;
  /** It is what was looked for. */
  marked: boolean;
}

export interface JobRow {
  id: string;
  queue: string;
  model: string | null;
  status: JobStatus;
  createdAt: number;
  /** From its submission to its end, or of its current attempt so far, ms; null: it has not begun. */
  durationMs: number | null;
  /** Of all its calls. */
  tokens: { input: number; output: number } | null;
  /** US dollars; null: not known, or nothing was called yet. */
  costUsd: number | null;
  attempts: number;
  code: string | null;
  /** Where the words that were looked for stand, else the prompt's beginning. */
  excerpt: { of: 'prompt' | 'output'; parts: TextPart[] };
  /** What it waits for. */
  waiting: WaitingFor | null;
}

export interface JobsView {
  jobs: JobRow[];
  /** To be sent as `after`; null: that was all. */
  next: string | null;
  /** Whether the index was asked; Redis was otherwise. */
  indexed: boolean;
  index: IndexState;
  /** The queues there are. */
  queues: string[];
  /** By this clock the times are to be read, ms. */
  now: number;
}
