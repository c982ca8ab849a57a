/**
 * Why a job failed, without what differs between jobs that failed for the same reason: so that failures can be grouped
 * into cohorts. Equal causes have equal ids.
 */
import { createHash } from 'node:crypto';
import type { Job } from './job.ts';

export interface Cause {
  /** 16 hex digits. */
  id: string;
  /** The reason of its last attempt: `bad_request`, `schema_mismatch` …; null: it failed without one (its deadline, say). */
  reason: string | null;
  code: string;
  /** The field, or the path in a schema, that it is about; null: none is known. */
  path: string | null;
  /** Its message, with placeholders for numbers, ids, quotations and addresses. */
  message: string;
}

/** The cause of a failed job. */
export function causeOf({ error, attempts }: Pick<Job, 'error' | 'attempts'>): Cause {
  const reason = attempts.at(-1)?.reason ?? null;
  const code = String(error?.code ?? 'unknown');
  const path = typeof error?.param === 'string' ? error.param : null;
  const message = String(error?.message ?? '');
  const id = createHash('sha256')
    .update(JSON.stringify([reason, code, path, message]))
    .digest('hex')
    .slice(0, 16);
  return { id, reason, code, path, message };
}
