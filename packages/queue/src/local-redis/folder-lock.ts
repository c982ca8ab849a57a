/**
 * One living process at a time holds a folder. A lock whose holder has died, however it died, is taken over; a lock
 * whose holder lives never is.
 */
import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { processIdentity } from './process-identity.ts';

export interface FolderLock {
  /** Gives the folder back. Idempotent; never removes a lock that somebody else has taken since. */
  release(): void;
}

/** Somebody alive holds the lock. */
export class FolderInUseError extends Error {
  override readonly name = 'FolderInUseError';
  readonly pid: number;
  constructor(file: string, pid: number) {
    super(`${file} is held by process ${pid}`);
    this.pid = pid;
  }
}

/** Each lost round means that another process won one: more than a few in a row is no race but a fault. */
const MAX_ROUNDS = 20;

/**
 * Takes the lock kept in `file`, making its folder where there is none.
 * @throws FolderInUseError naming the process that holds it, this one included.
 */
export function lockFolder(file: string): FolderLock {
  mkdirSync(dirname(file), { recursive: true });
  const content = JSON.stringify({ pid: process.pid, identity: processIdentity(process.pid), token: randomUUID() });
  for (let round = 0; round < MAX_ROUNDS; round++) {
    if (placeWhole(file, content)) return { release: () => releaseIfOurs(file, content) };
    const held = readText(file);
    if (held === null) continue;
    const holder = livingHolder(held);
    if (holder !== null) throw new FolderInUseError(file, holder);
    removeIfStill(file, held);
  }
  throw new Error(`${file} could not be taken: other processes kept taking it`);
}

/** The file appears with all of its content or not at all, and only where none was. */
function placeWhole(file: string, content: string): boolean {
  const draft = `${file}.${randomUUID()}`;
  writeFileSync(draft, content);
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function livingHolder(content: string): number | null {
  try {
    const { pid, identity } = JSON.parse(content) as { pid: number; identity: string | null };
    const now = processIdentity(pid);
    return now !== null && now === identity ? pid : null;
  } catch {
    // Not written by lockFolder, which never leaves half a file: nobody's.
    return null;
  }
}

/** Two may judge the same lock stale; what is moved aside is looked at again, so that the second never removes the
 * lock that the first has just taken. */
function removeIfStill(file: string, judged: string): void {
  const aside = `${file}.${randomUUID()}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return;
    throw error;
  }
  const moved = readText(aside);
  if (moved !== null && moved !== judged) placeWhole(file, moved);
  rmSync(aside, { force: true });
}

function releaseIfOurs(file: string, content: string): void {
  if (readText(file) === content) rmSync(file, { force: true });
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null;
    throw error;
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
