/** Putting jobs into the index and taking them out, and keeping it within its bounds: the oldest go first. */
import { hash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { Bounds } from './index-bounds.ts';
import { spaced } from './match-expression.ts';
import type { IndexRow } from './row-of-job.ts';

/** Places there are for jobs of the same ms; where they are used up, the next ms lends some. */
export const PLACES_OF_MS = 1024;
const LATEST_MS = Math.floor(Number.MAX_SAFE_INTEGER / PLACES_OF_MS) - 1;
/** Taken out at once, so that nobody waits long for the index. */
const PRUNE_STEP = 1000;
/**
 * How many jobs fit into the bytes is found out as they come: after so many were written (or such a share of them) it is
 * looked again, for the space of what was taken out is free only later.
 */
const LOOK_EVERY_ROWS = 250;
const LOOK_EVERY_SHARE = 0.02;
const LEAST_STEP = 0.8;
const SPARE = 0.98;
const ROOMY = 0.9;
const MERGE_PAGES = 500;
const SWEEP_STEP = 5000;

export interface Totals {
  jobs: number;
  bytes: number;
  /** The oldest job's creation, ms; null: there is none. */
  since: number | null;
  /** What was submitted before (ms) is not kept: it would be too much, or is too old. */
  floor: number;
}

export interface Written {
  queue: string;
  rows: readonly IndexRow[];
  removed: readonly string[];
}

export interface IndexWriter {
  write(written: Written): Totals;
  forget(ids: readonly string[]): void;
  /** Takes out what a walk through all jobs of a queue has not met. @returns where to go on; null: done */
  sweep(queue: string, from: number): number | null;
  totals(): Totals;
  /** Takes out what has become too old. */
  prune(): Totals;
}

export function openWriter(db: DatabaseSync, bounds: Bounds, now: () => number = Date.now): IndexWriter {
  const placeOf = db.prepare('SELECT n FROM jobs WHERE id = ?');
  const lastOf = db.prepare('SELECT max(n) AS n FROM jobs WHERE n >= ? AND n < ?');
  const put = db.prepare(
    `INSERT OR REPLACE INTO jobs (n, id, queue, type, model, key, status, finished, batch, flow, retry_of, tokens, code,
      cause, retried, metadata, walk) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const putText = db.prepare('INSERT OR REPLACE INTO text (rowid, prompt, output) VALUES (?, ?, ?)');
  const putCause = db.prepare('INSERT OR IGNORE INTO causes (id, reason, code, path, message) VALUES (?, ?, ?, ?, ?)');
  const putPair = db.prepare('INSERT OR IGNORE INTO metadata (pair, n) VALUES (?, ?)');
  const drop = db.prepare('DELETE FROM jobs WHERE n = ? RETURNING metadata');
  const dropText = db.prepare('DELETE FROM text WHERE rowid = ?');
  const dropPair = db.prepare('DELETE FROM metadata WHERE pair = ? AND n = ?');
  const walkOf = db.prepare('SELECT walk FROM queues WHERE queue = ?');
  const oldest = db.prepare('SELECT n FROM jobs ORDER BY n LIMIT ?');
  const older = db.prepare('SELECT n FROM jobs WHERE n < ? ORDER BY n LIMIT ?');
  const stale = db.prepare('SELECT n, walk FROM jobs WHERE queue = ? AND n > ? ORDER BY n LIMIT ?');
  const dropCauses = db.prepare(
    'DELETE FROM causes WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.cause = causes.id)',
  );
  const merge = db.prepare("INSERT INTO text (text, rank) VALUES ('merge', ?)");
  const putFloor = db.prepare("INSERT OR REPLACE INTO facts (name, value) VALUES ('floor', ?)");
  const pragma = (name: string): number => Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]);

  const pageBytes = pragma('page_size');
  let jobs = Number(db.prepare('SELECT count(*) AS count FROM jobs').get()?.count);
  let floor = Number(db.prepare("SELECT value FROM facts WHERE name = 'floor'").get()?.value ?? 0);
  /** Jobs that may be kept: what the bound says, or less where they are too big for the bytes. */
  let most = bounds.jobs;
  let rowsSince = Number.POSITIVE_INFINITY;

  const bytes = (): number => (pragma('page_count') - pragma('freelist_count')) * pageBytes;

  const freePlace = (createdAt: number): number => {
    let from = Math.min(Math.max(0, Math.floor(createdAt)), LATEST_MS) * PLACES_OF_MS;
    for (;;) {
      const last = lastOf.get(from, from + PLACES_OF_MS)?.n;
      const place = last == null ? from : Number(last) + 1;
      if (place < from + PLACES_OF_MS) return place;
      from += PLACES_OF_MS;
    }
  };

  const remove = (n: number): void => {
    const gone = drop.get(n);
    if (gone === undefined) return;
    jobs--;
    dropText.run(n);
    const pairs = Buffer.from((gone.metadata as Uint8Array | null) ?? []);
    for (let at = 0; at < pairs.length; at += PAIR_BYTES) dropPair.run(pairs.readUIntBE(at, PAIR_BYTES), n);
  };

  const removeId = (id: string): void => {
    const n = placeOf.get(blobOf(id))?.n;
    if (n != null) remove(Number(n));
  };

  const add = (row: IndexRow, walk: number): void => {
    const id = blobOf(row.id);
    const known = placeOf.get(id)?.n;
    const n = known == null ? freePlace(row.createdAt) : Number(known);
    if (known == null) jobs++;
    const pairs = row.metadata.map(([key, value]) => pairOf(key, value));
    const metadata = pairs.length === 0 ? null : Buffer.concat(pairs.map(bytesOfPair));
    put.run(
      ...[n, id, row.queue, row.type, row.model, row.key, row.status, row.finishedAt, row.batch, row.flow],
      row.retryOf === null ? null : blobOf(row.retryOf),
      ...[row.tokens, row.cause?.code ?? null, row.cause?.id ?? null, Number(row.retried), metadata, walk],
    );
    if (row.prompt !== '' || row.output !== '') putText.run(n, spaced(row.prompt), spaced(row.output));
    for (const pair of pairs) putPair.run(pair, n);
    const { cause } = row;
    if (cause !== null) putCause.run(cause.id, cause.reason, cause.code, cause.path, cause.message);
  };

  /** Takes out what is beyond a bound, a step of it. */
  const prune = (): void => {
    const tooOld = older.all((now() - bounds.ageMs) * PLACES_OF_MS, PRUNE_STEP);
    const tooMany = Math.min(PRUNE_STEP, jobs - most);
    const beyond = tooMany > tooOld.length ? oldest.all(tooMany) : tooOld;
    if (beyond.length > 0) removeOldest(beyond);
    if (rowsSince >= Math.max(LOOK_EVERY_ROWS, jobs * LOOK_EVERY_SHARE)) fitBytes();
  };

  const fitBytes = (): void => {
    rowsSince = 0;
    dropCauses.run();
    const used = bytes();
    if (used > bounds.bytes) {
      most = Math.floor(Math.min(most, jobs) * Math.max(LEAST_STEP, (bounds.bytes / used) * SPARE));
      merge.run(-MERGE_PAGES);
    } else if (used < bounds.bytes * ROOMY) most = Math.min(bounds.jobs, Math.ceil(most / SPARE));
  };

  const removeOldest = (rows: readonly Record<string, unknown>[]): void => {
    for (const { n } of rows) remove(Number(n));
    const last = rows.at(-1);
    if (last === undefined) return;
    floor = Math.max(floor, Math.floor(Number(last.n) / PLACES_OF_MS));
    putFloor.run(String(floor));
  };

  const atOnce = <T>(work: () => T): T => {
    const before = { jobs, floor };
    db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      db.exec('COMMIT');
      return result;
    } catch (error) {
      ({ jobs, floor } = before);
      if (db.isOpen && db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  };

  const totals = (): Totals => {
    const first = oldest.get(1)?.n;
    return { jobs, bytes: bytes(), since: first == null ? null : Math.floor(Number(first) / PLACES_OF_MS), floor };
  };

  return {
    write: ({ queue, rows, removed }) =>
      atOnce(() => {
        const walk = Number(walkOf.get(queue)?.walk ?? 0);
        for (const id of removed) removeId(id);
        for (const row of rows) add(row, walk);
        rowsSince += rows.length;
        prune();
        return totals();
      }),
    forget: (ids) =>
      atOnce(() => {
        for (const id of ids) removeId(id);
      }),
    sweep: (queue, from) =>
      atOnce(() => {
        const walk = Number(walkOf.get(queue)?.walk ?? 0);
        const rows = stale.all(queue, from, SWEEP_STEP);
        for (const row of rows) if (Number(row.walk) < walk) remove(Number(row.n));
        return rows.length < SWEEP_STEP ? null : Number(rows.at(-1)?.n);
      }),
    totals,
    prune: () =>
      atOnce(() => {
        prune();
        return totals();
      }),
  };
}

const PAIR_BYTES = 6;

/** A key and its value as a number: two that are not the same are as good as never taken for each other. */
export function pairOf(key: string, value: string): number {
  return hash('sha256', `${key}\0${value}`, 'buffer').readUIntBE(0, PAIR_BYTES);
}

function bytesOfPair(pair: number): Buffer {
  const bytes = Buffer.alloc(PAIR_BYTES);
  bytes.writeUIntBE(pair, 0, PAIR_BYTES);
  return bytes;
}

const ID_START = 'resp_';

/** An id in half its length. */
export function blobOf(id: string): Buffer {
  return Buffer.from(id.slice(ID_START.length), 'hex');
}

export function idOf(blob: unknown): string {
  return `${ID_START}${Buffer.from(blob as Uint8Array).toString('hex')}`;
}
