/** What is done to many jobs at once: the topics `actions` and `action:<id>`, and what it would cost. */
import type { JobEdit } from '@millrace/core';

export interface ActionView {
  id: string;
  kind: 'retry' | 'discard';
  status: 'running' | 'stopping' | 'stopped' | 'completed';
  what: string;
  cause: string | null;
  edit: JobEdit | null;
  /** The API key's name. */
  by: string | null;
  createdAt: number;
  endedAt: number | null;
  total: number;
  done: number;
  made: number;
  skipped: number;
  failed: number;
  skips: Partial<Record<string, number>>;
  errors: { id: string; message: string }[];
  held: string | null;
}

/** The topic `action:<id>`. */
export interface ActionDetailView {
  /** null: it is not kept any more. */
  action: ActionView | null;
  /** The first jobs that it made, and what became of them. */
  first: { id: string; status: string; error: string | null; output: string | null }[];
}

/** The topic `actions`. */
export interface ActionsView {
  actions: ActionView[];
}

export interface PreviewView {
  /** So many would be acted on. */
  jobs: number;
  /** So many of them were looked at for what follows. */
  sample: number;
  /** Of the sample: those that the edit does not fit, and why the first does not. */
  refused: { count: number; id: string; message: string } | null;
  /** US dollars of all of them; null: unknown, which `how` explains. */
  usd: number | null;
  how: string;
}
