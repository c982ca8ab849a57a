/**
 * Why a job failed, without what differs between jobs that failed for the same reason: so that failures can be grouped
 * into cohorts. Equal causes have equal ids.
 */
import { createHash } from 'node:crypto';
import type { Job } from './job.ts';
import { normalMessage } from './normal-message.ts';

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

const CODE_CHARACTERS = 80;
const PATH_CHARACTERS = 200;

/** The cause of a failed job. */
export function causeOf({ error, attempts }: Pick<Job, 'error' | 'attempts'>): Cause {
  const reason = attempts.at(-1)?.reason ?? null;
  const code = String(error?.code ?? 'unknown')
    .slice(0, CODE_CHARACTERS)
    .toWellFormed();
  const path = normalPath(error?.param ?? firstMiss(error?.details));
  const message = normalMessage(String(error?.message ?? ''));
  const id = createHash('sha256')
    .update(JSON.stringify([reason, code, path, message]))
    .digest('hex')
    .slice(0, 16);
  return { id, reason, code, path, message };
}

/** Where a structured answer first missed its schema. */
function firstMiss(details: unknown): unknown {
  return Array.isArray(details) ? (details[0] as { path?: unknown } | null)?.path : null;
}

/** `items[3].price` and `items.12.price` are about the same: which of the items it was differs from job to job. */
function normalPath(path: unknown): string | null {
  if (typeof path !== 'string' || path === '') return null;
  return path
    .slice(0, PATH_CHARACTERS)
    .toWellFormed()
    .replace(/(?<![\p{L}\p{N}_])\d+(?![\p{L}\p{N}_])/gu, '#');
}
