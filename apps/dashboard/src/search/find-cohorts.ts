/** Failed jobs by their cause: how many, when, where, and which. Read off indexes that have all it takes. */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { COHORTS_MOST } from './index-bounds.ts';
import type { CohortRow, Cohorts, FailureSpan } from './job-index.ts';
import { idOf } from './write-index.ts';

/** Queues and models named of one cohort: a caller may make up as many models as it likes. */
const NAMED_MOST = 50;

export function findCohorts(db: DatabaseSync, span: FailureSpan & { buckets: number }): Cohorts {
  const groups = db
    .prepare(
      `SELECT cause, queue, model, count(*) AS count, sum(retried) AS retried, min(finished) AS first, max(finished) AS last
        FROM jobs INDEXED BY jobs_cause_where
        WHERE cause IS NOT NULL AND finished >= ? AND finished < ? ${inQueue(span)}
        GROUP BY cause, queue, model`,
    )
    .all(...bound(span));
  const cohorts = new Map<string, Counted>();
  let total = 0;
  for (const group of groups) {
    const cause = String(group.cause);
    const count = Number(group.count);
    const [first, last] = [Number(group.first), Number(group.last)];
    const cohort = cohorts.get(cause) ?? {
      cause,
      count: 0,
      retried: 0,
      firstAt: first,
      lastAt: last,
      queues: {},
      models: {},
    };
    cohorts.set(cause, cohort);
    total += count;
    cohort.count += count;
    cohort.retried += Number(group.retried);
    cohort.firstAt = Math.min(cohort.firstAt, first);
    cohort.lastAt = Math.max(cohort.lastAt, last);
    countOf(cohort.queues, String(group.queue), count);
    if (group.model !== null) countOf(cohort.models, String(group.model), count);
  }
  const most = [...cohorts.values()].sort((a, b) => b.count - a.count || b.lastAt - a.lastAt).slice(0, COHORTS_MOST);
  const causeOf = db.prepare('SELECT reason, code, path, message FROM causes WHERE id = ?');
  const trendOf = openTrend(db, span);
  const ended = db
    .prepare(
      `SELECT count(*) AS count FROM jobs INDEXED BY jobs_finished
        WHERE finished IS NOT NULL AND finished >= ? AND finished < ? ${inQueue(span)}`,
    )
    .get(...bound(span));
  return {
    total,
    finished: Number(ended?.count),
    cohorts: most.map((cohort) => {
      const { reason, code, path, message } = causeOf.get(cohort.cause) ?? {};
      return {
        ...cohort,
        reason: (reason ?? null) as string | null,
        code: String(code ?? 'unknown'),
        path: (path ?? null) as string | null,
        message: String(message ?? ''),
        trend: trendOf(cohort.cause),
        example: findJobsOf(db, cohort.cause, span, 1, false)[0] ?? '',
      };
    }),
  };
}

type Counted = Omit<CohortRow, 'reason' | 'code' | 'path' | 'message' | 'trend' | 'example'>;

/** Counted bucket by bucket: to have SQLite group by a computed bucket would take it ten times as long. */
function openTrend(db: DatabaseSync, span: FailureSpan & { buckets: number }): (cause: string) => number[] {
  const { from, until, buckets } = span;
  const count = db.prepare(
    `SELECT count(*) AS count FROM jobs INDEXED BY jobs_cause
      WHERE cause = ? AND finished >= ? AND finished < ? ${inQueue(span)}`,
  );
  const at = (bucket: number): number => from + ((until - from) * bucket) / buckets;
  return (cause) =>
    Array.from({ length: buckets }, (_, bucket) =>
      Number(count.get(cause, ...bound({ ...span, from: at(bucket), until: at(bucket + 1) }))?.count),
    );
}

/** @param left only those that were not retried yet */
export function findJobsOf(db: DatabaseSync, cause: string, span: FailureSpan, limit: number, left: boolean): string[] {
  return db
    .prepare(
      `SELECT id FROM jobs INDEXED BY jobs_cause WHERE cause = ? AND finished >= ? AND finished < ?
        ${inQueue(span)} ${left ? 'AND retried = 0' : ''} ORDER BY finished DESC LIMIT ?`,
    )
    .all(cause, ...bound(span), limit)
    .map(({ id }) => idOf(id));
}

const inQueue = ({ queue }: FailureSpan): string => (queue === undefined ? '' : 'AND queue = ?');

function bound({ from, until, queue }: FailureSpan): SQLInputValue[] {
  // Whole ms, both rounded the same way: what is next to each other must neither overlap nor leave a gap.
  return [Math.ceil(from), Math.ceil(until), ...(queue === undefined ? [] : [queue])];
}

/** A name may be `__proto__`: it is an own field all the same. */
function countOf(counts: Record<string, number>, name: string, count: number): void {
  if (!Object.hasOwn(counts, name) && Object.keys(counts).length >= NAMED_MOST) return;
  const before = Object.hasOwn(counts, name) ? (counts[name] ?? 0) : 0;
  Object.defineProperty(counts, name, { value: before + count, enumerable: true, configurable: true, writable: true });
}
