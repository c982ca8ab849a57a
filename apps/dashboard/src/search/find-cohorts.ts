/** Failed jobs by their cause: how many, when, where, and which. One pass over an index that has all it takes. */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { COHORTS_MOST } from './index-bounds.ts';
import type { CohortRow, Cohorts, FailureSpan } from './job-index.ts';
import { idOf } from './write-index.ts';

/** Queues and models named of one cohort: a caller may make up as many models as it likes. */
const NAMED_MOST = 50;

export function findCohorts(db: DatabaseSync, span: FailureSpan & { buckets: number }): Cohorts {
  const { from, until, buckets } = span;
  const length = Math.max(1, until - from);
  const groups = db
    .prepare(
      `SELECT cause, queue, model, (finished - ?) * ? / ? AS bucket, count(*) AS count, min(finished) AS first,
        max(finished) AS last FROM jobs INDEXED BY jobs_cause
        WHERE cause IS NOT NULL AND finished >= ? AND finished < ? ${span.queue === undefined ? '' : 'AND queue = ?'}
        GROUP BY cause, queue, model, bucket`,
    )
    .all(from, buckets, length, ...bound(span));
  const cohorts = new Map<string, Omit<CohortRow, 'reason' | 'code' | 'path' | 'message' | 'example'>>();
  let total = 0;
  for (const group of groups) {
    const cause = String(group.cause);
    const count = Number(group.count);
    const [first, last] = [Number(group.first), Number(group.last)];
    let cohort = cohorts.get(cause);
    if (cohort === undefined) {
      const trend = new Array<number>(buckets).fill(0);
      cohort = { cause, count: 0, trend, firstAt: first, lastAt: last, queues: {}, models: {} };
      cohorts.set(cause, cohort);
    }
    total += count;
    cohort.count += count;
    cohort.firstAt = Math.min(cohort.firstAt, first);
    cohort.lastAt = Math.max(cohort.lastAt, last);
    const bucket = Math.min(buckets - 1, Number(group.bucket));
    cohort.trend[bucket] = (cohort.trend[bucket] ?? 0) + count;
    countOf(cohort.queues, String(group.queue), count);
    if (group.model !== null) countOf(cohort.models, String(group.model), count);
  }
  const most = [...cohorts.values()].sort((a, b) => b.count - a.count || b.lastAt - a.lastAt).slice(0, COHORTS_MOST);
  const causeOf = db.prepare('SELECT reason, code, path, message FROM causes WHERE id = ?');
  return {
    total,
    cohorts: most.map((cohort) => {
      const { reason, code, path, message } = causeOf.get(cohort.cause) ?? {};
      return {
        ...cohort,
        reason: (reason ?? null) as string | null,
        code: String(code ?? 'unknown'),
        path: (path ?? null) as string | null,
        message: String(message ?? ''),
        example: findJobsOf(db, cohort.cause, span, 1)[0] ?? '',
      };
    }),
  };
}

export function findJobsOf(db: DatabaseSync, cause: string, span: FailureSpan, limit: number): string[] {
  return db
    .prepare(
      `SELECT id FROM jobs INDEXED BY jobs_cause WHERE cause = ? AND finished >= ? AND finished < ?
        ${span.queue === undefined ? '' : 'AND queue = ?'} ORDER BY finished DESC LIMIT ?`,
    )
    .all(cause, ...bound(span), limit)
    .map(({ id }) => idOf(id));
}

function bound({ from, until, queue }: FailureSpan): SQLInputValue[] {
  return [Math.floor(from), Math.ceil(until), ...(queue === undefined ? [] : [queue])];
}

/** A name may be `__proto__`: it is an own field all the same. */
function countOf(counts: Record<string, number>, name: string, count: number): void {
  if (!Object.hasOwn(counts, name) && Object.keys(counts).length >= NAMED_MOST) return;
  const before = Object.hasOwn(counts, name) ? (counts[name] ?? 0) : 0;
  Object.defineProperty(counts, name, { value: before + count, enumerable: true, configurable: true, writable: true });
}
