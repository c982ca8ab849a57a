/**
 * All that is done with the index's file, one thing after the other: it runs in a thread of its own. A file that turns
 * out to be damaged is made anew at once; what was asked of it then fails, and is asked again by whoever wants it.
 */
import { findCohorts, findJobsOf } from './find-cohorts.ts';
import { findJobs } from './find-jobs.ts';
import type { Bounds } from './index-bounds.ts';
import { isDamaged, isOfFile, openIndexFile, renewFile } from './index-file.ts';
import type { Cohorts, FailureSpan, JobQuery, JobsFound } from './job-index.ts';
import { type IndexWriter, openWriter, type Totals, type Written } from './write-index.ts';

/** How far a queue's jobs are in the index. */
export interface QueueProgress {
  queue: string;
  /** Of its changes. */
  cursor: string;
  /** Counts the walks through all of its jobs. */
  walk: number;
  walking: boolean;
  /** Where the walk goes on (µs); null: at the newest. */
  before: number | null;
  /** Jobs it has met, of about how many. */
  walked: number;
  total: number;
}

export interface Progress {
  /** Which data this is of; null: none yet. */
  identity: string | null;
  /** Everything up to then (ms) was in it. */
  until: number | null;
  queues: QueueProgress[];
  totals: Totals;
}

export interface IndexDesk {
  progress(): Progress;
  /** Begins with other data: what was there goes. */
  begin(identity: string, why: string | null): void;
  setQueue(progress: QueueProgress): void;
  write(written: Written): Totals;
  /** Notes that everything up to then is in it, and takes out what has become too old. */
  rest(untilMs: number): Totals;
  forget(ids: readonly string[]): void;
  sweep(queue: string, from: number): number | null;
  find(query: JobQuery, limit: number, after: string | null): JobsFound;
  cohorts(span: FailureSpan & { buckets: number }): Cohorts;
  jobsOf(cause: string, span: FailureSpan, limit: number, left: boolean): string[];
  close(): void;
}

/** @param told of what happens to the file, for the log */
export function openDesk(folder: string, bounds: Bounds, told: (what: string) => void): IndexDesk {
  let file = openIndexFile(folder);
  if (file.renewed !== null) told(`The index of jobs is made anew: ${file.renewed}`);
  let writer: IndexWriter;

  const renew = (why: string): void => {
    file = renewFile(file, why);
    writer = openWriter(file.db, bounds);
    told(`The index of jobs is made anew: ${why}`);
  };
  try {
    writer = openWriter(file.db, bounds);
  } catch (error) {
    // Tables that cannot even be opened: SQLite has several words for it.
    if (!isOfFile(error)) throw error;
    renew('it was damaged');
  }
  /** Whatever reads or writes the file goes through here. */
  const careful = <A extends unknown[], T>(work: (...args: A) => T): ((...args: A) => T) => {
    return (...args) => {
      // It was to be made anew, and could not be then.
      if (!file.db.isOpen) renew('it was closed');
      try {
        return work(...args);
      } catch (error) {
        if (isDamaged(error)) renew('it was damaged');
        throw error;
      }
    };
  };
  const fact = (name: string): string | null =>
    (file.db.prepare('SELECT value FROM facts WHERE name = ?').get(name)?.value as string | undefined) ?? null;
  const setFact = (name: string, value: string): void => {
    file.db.prepare('INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)').run(name, value);
  };

  return {
    progress: careful(() => ({
      identity: fact('identity'),
      until: fact('until') === null ? null : Number(fact('until')),
      queues: file.db.prepare('SELECT * FROM queues').all().map(progressOf),
      totals: writer.totals(),
    })),
    begin: careful((identity, why) => {
      if (why !== null) renew(why);
      setFact('identity', identity);
    }),
    setQueue: careful(({ queue, cursor, walk, walking, before, walked, total }) => {
      file.db
        .prepare(
          'INSERT OR REPLACE INTO queues (queue, cursor, walk, walking, before, walked, total) VALUES (?, ?, ?, ?, ?, ?, ?)',
        )
        .run(queue, cursor, walk, walking ? 1 : 0, before, walked, total);
    }),
    write: careful((written) => writer.write(written)),
    rest: careful((untilMs) => {
      setFact('until', String(untilMs));
      return writer.prune();
    }),
    forget: careful((ids) => writer.forget(ids)),
    sweep: careful((queue, from) => writer.sweep(queue, from)),
    find: careful((query, limit, after) => findJobs(file.db, query, limit, after)),
    cohorts: careful((span) => findCohorts(file.db, span)),
    jobsOf: careful((cause, span, limit, left) => findJobsOf(file.db, cause, span, limit, left)),
    close: () => file.db.close(),
  };
}

function progressOf(row: Record<string, unknown>): QueueProgress {
  return {
    queue: String(row.queue),
    cursor: String(row.cursor),
    walk: Number(row.walk),
    walking: row.walking === 1,
    before: row.before === null ? null : Number(row.before),
    walked: Number(row.walked),
    total: Number(row.total),
  };
}
