/**
 * The index's file: opened as it is where it fits, made anew where it does not (another version, damaged, of other
 * data). One process holds it at a time: SQLite's own lock, which ends with the process however that ends.
 */
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { FILES } from './index-bounds.ts';

/** To be raised with every change of the tables or of what is put into them: the file is then made anew. */
const VERSION = 2;
/** SQLITE_BUSY, _CORRUPT, _NOTADB. */
const BUSY = 5;
const DAMAGED = new Set([11, 26]);
/** SQLITE_ERROR, of a table's own module. */
const ERROR = 1;
const CACHE_KILOBYTES = 32 * 1024;
const WAL_BYTES = 16 * 1024 * 1024;

/**
 * `n` is the order of jobs by their creation: ms × 1024 and a place among those of the same ms. Every index of SQLite
 * ends with it, so whatever is looked for comes newest first.
 */
const TABLES = `
  CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE queues (queue TEXT PRIMARY KEY, cursor TEXT NOT NULL, walk INTEGER NOT NULL, before INTEGER,
    walking INTEGER NOT NULL, walked INTEGER NOT NULL, total INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE jobs (n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, queue TEXT NOT NULL, type TEXT NOT NULL, model TEXT,
    key TEXT, status TEXT NOT NULL, finished INTEGER, batch TEXT, flow TEXT, retry_of BLOB, tokens INTEGER, code TEXT,
    cause TEXT, retried INTEGER NOT NULL, metadata BLOB, walk INTEGER NOT NULL);
  CREATE INDEX jobs_queue ON jobs (queue);
  CREATE INDEX jobs_model ON jobs (model);
  CREATE INDEX jobs_status ON jobs (status);
  CREATE INDEX jobs_key ON jobs (key) WHERE key IS NOT NULL;
  CREATE INDEX jobs_batch ON jobs (batch) WHERE batch IS NOT NULL;
  CREATE INDEX jobs_flow ON jobs (flow) WHERE flow IS NOT NULL;
  CREATE INDEX jobs_code ON jobs (code) WHERE code IS NOT NULL;
  CREATE INDEX jobs_finished ON jobs (finished, queue) WHERE finished IS NOT NULL;
  CREATE INDEX jobs_cause ON jobs (cause, finished, queue, retried) WHERE cause IS NOT NULL;
  CREATE INDEX jobs_cause_where ON jobs (cause, queue, model, finished, retried) WHERE cause IS NOT NULL;
  CREATE TABLE causes (id TEXT PRIMARY KEY, reason TEXT, code TEXT NOT NULL, path TEXT, message TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE metadata (pair INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (pair, n)) WITHOUT ROWID;
  CREATE VIRTUAL TABLE text USING fts5 (prompt, output, content = '', contentless_delete = 1,
    tokenize = 'unicode61 remove_diacritics 2');
`;

/** Another process has every file that there may be. */
export class FilesTakenError extends Error {
  override readonly name = 'FilesTakenError';
}

export interface IndexFile {
  path: string;
  db: DatabaseSync;
  /** Why what was in it was thrown away; null: it was not. */
  renewed: string | null;
}

/**
 * Opens the first file of the folder that nobody has: several dashboards may share a data folder.
 * @throws FilesTakenError, or the system's or SQLite's error where the folder cannot be written
 */
export function openIndexFile(folder: string): IndexFile {
  makeFolder(folder);
  for (let file = 1; file <= FILES; file++) {
    try {
      return openPath(join(folder, file === 1 ? 'jobs.sqlite' : `jobs-${file}.sqlite`));
    } catch (error) {
      if (sqliteCode(error) !== BUSY) throw error;
    }
  }
  throw new FilesTakenError(`${FILES} other processes keep an index in ${folder} already.`);
}

function makeFolder(folder: string): void {
  mkdirSync(folder, { recursive: true });
  // It holds prompts; one that an earlier version made may stand open.
  chmodSync(folder, 0o700);
}

/** Throws what is in the file away. */
export function renewFile({ path, db }: IndexFile, why: string): IndexFile {
  if (db.isOpen) db.close();
  // Somebody may have removed it.
  makeFolder(dirname(path));
  removeFile(path);
  return { ...openPath(path), renewed: why };
}

export function isDamaged(error: unknown): boolean {
  const code = sqliteCode(error);
  return code !== null && DAMAGED.has(code);
}

/** Whether what is in the file is to blame, of an error while its tables were opened; not that the disk is full, say. */
export function isOfFile(error: unknown): boolean {
  return isDamaged(error) || sqliteCode(error) === ERROR;
}

function openPath(path: string): IndexFile {
  const db = new DatabaseSync(path);
  let why: string;
  try {
    // First of all: from the first read on, nobody else has the file.
    db.exec(
      'PRAGMA locking_mode = EXCLUSIVE; PRAGMA busy_timeout = 0; PRAGMA journal_mode = WAL; BEGIN IMMEDIATE; COMMIT;',
    );
    db.exec(
      `PRAGMA synchronous = NORMAL; PRAGMA cache_size = -${CACHE_KILOBYTES}; PRAGMA journal_size_limit = ${WAL_BYTES};`,
    );
    const version = Number(db.prepare('PRAGMA user_version').get()?.user_version);
    if (version === VERSION) return { path, db, renewed: null };
    if (version === 0 && db.prepare('SELECT count(*) AS count FROM sqlite_schema').get()?.count === 0) {
      db.exec(`BEGIN; ${TABLES} PRAGMA user_version = ${VERSION}; COMMIT;`);
      return { path, db, renewed: null };
    }
    why = 'it is of another version';
  } catch (error) {
    db.close();
    if (!isDamaged(error)) throw error;
    removeFile(path);
    return { ...openPath(path), renewed: 'it was damaged' };
  }
  db.close();
  removeFile(path);
  return { ...openPath(path), renewed: why };
}

function removeFile(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(`${path}${suffix}`, { force: true });
}

/** SQLite's primary result code, or null of any other error. */
function sqliteCode(error: unknown): number | null {
  const { errcode } = (error ?? {}) as { errcode?: unknown };
  return typeof errcode === 'number' ? errcode & 0xff : null;
}
