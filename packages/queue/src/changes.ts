/**
 * Which jobs came, ended and were forgotten, in order, for who keeps an index of them outside Redis. Bounded: who falls
 * behind further than that finds a gap, and reads the jobs themselves again.
 */
import type { Store, StoreQueue } from './store.ts';

/** Entries kept of a queue, about: an entry is some 70 bytes; of a bulk submission one holds up to 200 ids. */
export const CHANGES_KEPT = 100_000;

export type ChangeKind = 'submitted' | 'finished' | 'removed';

export interface Change {
  kind: ChangeKind;
  id: string;
}

export interface Changes {
  changes: Change[];
  /** To read on from. */
  cursor: string;
  /** What came after the cursor given is not kept any more: some changes were missed. */
  gap: boolean;
}

const KINDS: Readonly<Record<string, ChangeKind>> = { s: 'submitted', f: 'finished', r: 'removed' };

/** Where a queue's changes are now: to be noted before its jobs are read whole. '0-0' where there are none. */
export async function changesCursor(store: Store, { keys }: StoreQueue): Promise<string> {
  const [newest] = await store.redis.xrevrange(keys.changes, '+', '-', 'COUNT', 1);
  return newest?.[0] ?? '0-0';
}

/** The changes after a cursor, at most `entries` entries of them, oldest first. */
export async function readChanges(
  store: Store,
  { keys }: StoreQueue,
  cursor: string,
  entries: number,
): Promise<Changes> {
  const pipeline = store.redis.pipeline();
  pipeline.xrange(keys.changes, `(${cursor}`, '+', 'COUNT', entries);
  pipeline.xrange(keys.changes, '-', '+', 'COUNT', 1);
  const [[error, read] = [null, []], [oldestError, first] = [null, []]] = (await pipeline.exec()) ?? [];
  if (error ?? oldestError) throw error ?? oldestError;
  const found = read as [string, string[]][];
  const [oldest] = first as [string, string[]][];
  return {
    changes: found.flatMap(([, fields]) => changesOf(fields)),
    cursor: found.at(-1)?.[0] ?? cursor,
    gap: oldest !== undefined && isBefore(cursor, oldest[0]),
  };
}

function changesOf([kind = '', ids = '']: string[]): Change[] {
  const known = KINDS[kind];
  return known === undefined ? [] : ids.split(' ').map((id) => ({ kind: known, id }));
}

function isBefore(one: string, other: string): boolean {
  const [oneMs = 0, oneSequence = 0] = one.split('-').map(Number);
  const [otherMs = 0, otherSequence = 0] = other.split('-').map(Number);
  return oneMs < otherMs || (oneMs === otherMs && oneSequence < otherSequence);
}
