/**
 * The records of stored files. A record is written when the bytes are stored, and removed before they are: so there is
 * none without its bytes, and bytes without a record are orphans, which go after a day.
 */
import { randomBytes } from 'node:crypto';
import { InvalidRequestError, NotFoundError } from '@millrace/core';
import { FILES_EXPIRE_KEY, FILES_KEY, fileKey } from './keys.ts';
import { type Duty, keepDuty } from './lease.ts';
import type { Store } from './store.ts';

export interface FileRecord {
  id: string;
  filename: string;
  purpose: string;
  bytes: number;
  /** Milliseconds since 1970. */
  created_at: number;
  expires_at: number;
}

const FILE_ID = /^file-[0-9a-f]{32}$/;

export function newFileId(): string {
  return `file-${randomBytes(16).toString('hex')}`;
}

/** The bytes must be stored by now. Adding the same file again changes nothing. */
export async function addFile(store: Store, file: FileRecord): Promise<void> {
  const { id, ...fields } = file;
  const replies = await store.redis
    .multi()
    .hset(fileKey(id), fields)
    .zadd(FILES_KEY, file.created_at, id)
    .zadd(FILES_EXPIRE_KEY, file.expires_at, id)
    .exec();
  for (const [error] of replies ?? []) if (error) throw error;
  await store.commit();
}

/** null: there is none, or its time is over. */
export async function readFile(store: Store, id: string): Promise<FileRecord | null> {
  if (!FILE_ID.test(id)) return null;
  const file = fromHash(id, await store.redis.hgetall(fileKey(id)));
  return file === null || fileExpired(file) ? null : file;
}

function fileExpired({ expires_at }: FileRecord): boolean {
  return expires_at <= Date.now();
}

function fromHash(id: string, fields: Record<string, string>): FileRecord | null {
  const { filename, purpose, bytes, created_at, expires_at } = fields;
  if (filename === undefined || purpose === undefined) return null;
  return {
    ...{ id, filename, purpose },
    ...{ bytes: Number(bytes), created_at: Number(created_at), expires_at: Number(expires_at) },
  };
}

export interface FilesQuery {
  limit: number;
  order: 'asc' | 'desc';
  after?: string;
  purpose?: string;
}

const STEP = 500;

/**
 * A page of files.
 * @throws InvalidRequestError when the file to begin after is not there (any more)
 */
export async function listFiles(store: Store, query: FilesQuery): Promise<{ files: FileRecord[]; hasMore: boolean }> {
  const { limit, order, after, purpose } = query;
  const { redis } = store;
  const rank = (id: string): Promise<number | null> =>
    order === 'asc' ? redis.zrank(FILES_KEY, id) : redis.zrevrank(FILES_KEY, id);
  const before = after === undefined ? -1 : await rank(after);
  if (before === null) {
    throw new InvalidRequestError(
      `There is no file '${after?.slice(0, 80)}' to begin after.`,
      'after',
      'invalid_value',
    );
  }
  const files: FileRecord[] = [];
  for (let from = before + 1; ; from += STEP) {
    const to = from + STEP - 1;
    const ids = await (order === 'asc'
      ? redis.zrange(FILES_KEY, String(from), String(to))
      : redis.zrevrange(FILES_KEY, String(from), String(to)));
    const pipeline = redis.pipeline();
    for (const id of ids) pipeline.hgetall(fileKey(id));
    for (const [index, [error, fields]] of ((await pipeline.exec()) ?? []).entries()) {
      if (error) throw error;
      const file = fromHash(ids[index] as string, fields as Record<string, string>);
      if (file === null || fileExpired(file) || (purpose !== undefined && file.purpose !== purpose)) continue;
      if (files.length === limit) return { files, hasMore: true };
      files.push(file);
    }
    if (ids.length < STEP) return { files, hasMore: false };
  }
}

/** The bytes are to be removed after this. False when there was none. */
export async function removeFile(store: Store, id: string): Promise<boolean> {
  if (!FILE_ID.test(id)) return false;
  const replies = await store.redis.multi().del(fileKey(id)).zrem(FILES_KEY, id).zrem(FILES_EXPIRE_KEY, id).exec();
  for (const [error] of replies ?? []) if (error) throw error;
  await store.commit();
  return replies?.[0]?.[1] === 1;
}

export function noSuchFile(id: string): NotFoundError {
  return new NotFoundError(`No such File object: ${id.slice(0, 80)}`, 'id');
}

/** Where the bytes are. */
interface Bytes {
  remove(name: string): Promise<void>;
  olderThan(beforeMs: number): AsyncIterable<string>;
}

const EVERY_MS = 60_000;
const EXPIRED_A_ROUND = 1000;
/** Bytes are stored before their record: an upload under way is no orphan. */
const ORPHAN_AFTER_MS = 86_400_000;
const ORPHANS_EVERY_MS = 3_600_000;

/** Removes files whose time is over, and bytes that no record speaks of. One process of the fleet does it. */
export function keepFiles(store: Store, bytes: Bytes, holder: string): Duty {
  let orphansAt = 0;
  const work = async (): Promise<void> => {
    const due = await store.redis.zrangebyscore(
      FILES_EXPIRE_KEY,
      '-inf',
      String(Date.now()),
      'LIMIT',
      0,
      EXPIRED_A_ROUND,
    );
    for (const id of due) {
      await removeFile(store, id);
      await bytes.remove(id);
    }
    if (Date.now() < orphansAt) return;
    orphansAt = Date.now() + ORPHANS_EVERY_MS;
    for await (const name of bytes.olderThan(Date.now() - ORPHAN_AFTER_MS)) {
      if (FILE_ID.test(name) && (await store.redis.exists(fileKey(name))) === 0) await bytes.remove(name);
    }
  };
  return keepDuty(store.redis, 'files', holder, EVERY_MS, work, (error) =>
    store.log.warn({ err: error }, 'Old files could not be removed; trying again'),
  );
}
