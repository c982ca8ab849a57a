/** Looking for jobs in the index: newest first, and no further than the page asked for. */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { JobQuery, JobsFound } from './job-index.ts';
import { matchExpression } from './match-expression.ts';
import { named } from './row-of-job.ts';
import { idOf, PLACES_OF_MS, pairOf } from './write-index.ts';

/**
 * The columns that a query may name, the one with the fewest jobs of a value first: the first that is asked for leads,
 * because SQLite does not know how many there are of each.
 */
const COLUMNS = ['batch', 'flow', 'cause', 'code', 'key', 'status', 'model', 'queue'] as const;

/** @param after `next` of the page before; null: from the newest */
export function findJobs(db: DatabaseSync, query: JobQuery, limit: number, after: string | null): JobsFound {
  const conditions: string[] = [];
  const values: SQLInputValue[] = [];
  const must = (condition: string, ...of: SQLInputValue[]): void => {
    conditions.push(condition);
    values.push(...of);
  };
  const pairs = Object.entries(query.metadata ?? {}).map(([key, value]) => pairOf(named(key), named(value)));
  let tables = 'jobs j';
  let n = 'j.n';
  let led = false;
  if (query.text !== undefined) {
    const expression = matchExpression(query.text);
    if (expression === null) return { ids: [], next: null };
    [tables, n, led] = ['text t CROSS JOIN jobs j ON j.n = t.rowid', 't.rowid', true];
    must('text MATCH ?', expression);
  } else if (pairs.length > 0) {
    [tables, n, led] = ['metadata m CROSS JOIN jobs j ON j.n = m.n', 'm.n', true];
    must('m.pair = ?', pairs.shift() as number);
  }
  for (const pair of pairs) must('EXISTS (SELECT 1 FROM metadata o WHERE o.pair = ? AND o.n = j.n)', pair);
  const asked = askedColumns(query);
  for (const column of COLUMNS) {
    const of = asked[column];
    if (of === undefined) continue;
    // A plus keeps SQLite from looking by this column; with several values the order would be lost.
    const leads = !led && of.length === 1 && column !== 'cause';
    if (leads) led = true;
    must(`${leads ? '' : '+'}j.${column} IN (${of.map(() => '?').join(', ')})`, ...of);
  }
  if (query.from !== undefined) must(`${n} >= ?`, place(query.from));
  const until = query.until === undefined ? Number.MAX_SAFE_INTEGER : place(query.until);
  must(`${n} < ?`, after === null ? until : Math.min(Number(after), until));
  const rows = db
    .prepare(`SELECT j.n, j.id FROM ${tables} WHERE ${conditions.join(' AND ')} ORDER BY ${n} DESC LIMIT ?`)
    .all(...values, limit + 1);
  const page = rows.slice(0, limit);
  return { ids: page.map(({ id }) => idOf(id)), next: rows.length > limit ? String(page.at(-1)?.n) : null };
}

function askedColumns(query: JobQuery): Partial<Record<(typeof COLUMNS)[number], string[]>> {
  const { queues, models, statuses, batch, flow, key, code, cause } = query;
  const asked: Partial<Record<(typeof COLUMNS)[number], string[]>> = {};
  for (const [column, value] of Object.entries({ batch, flow, key, code, cause })) {
    if (value !== undefined) asked[column as 'batch'] = [named(value)];
  }
  if (queues !== undefined) asked.queue = [...queues];
  if (models !== undefined) asked.model = models.map(named);
  if (statuses !== undefined) {
    asked.status = [...new Set(statuses.map((one) => (one === 'queued' || one === 'in_progress' ? 'open' : one)))];
  }
  return asked;
}

function place(ms: number): number {
  return Math.min(Math.max(0, Math.ceil(ms) * PLACES_OF_MS), Number.MAX_SAFE_INTEGER);
}
