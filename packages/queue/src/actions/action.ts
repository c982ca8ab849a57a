/** What is done to many jobs at once: its record, with how far it is. */
import { type JobEdit, NotFoundError } from '@millrace/core';
import { readJson } from '../job-record.ts';
import { ACTIONS_KEY, actionKeys } from '../keys.ts';
import type { Store } from '../store.ts';

/** `retry`: a new job of each; `discard`: each is forgotten. */
export type ActionKind = 'retry' | 'discard';
/** `stopping`: what is under way is ended, at most a hundred jobs; then `stopped`, which can be resumed. */
export type ActionStatus = 'running' | 'stopping' | 'stopped' | 'completed';

/** Why a job was left alone. */
export type SkipReason = 'gone' | 'not_failed' | 'retried' | 'in_batch' | 'in_flow';

export interface ActionError {
  id: string;
  message: string;
}

export interface Action {
  id: string;
  kind: ActionKind;
  status: ActionStatus;
  /** What it is done to, in words. */
  what: string;
  /** The cause that its jobs have in common. */
  cause: string | null;
  edit: JobEdit | null;
  /** The name of the API key of who started it, whose the new jobs are; null: nobody's. */
  key: string | null;
  created_at: number;
  ended_at: number | null;
  total: number;
  /** Looked at: made, skipped and failed together. */
  done: number;
  /** New jobs; of a discard the jobs that are gone now. */
  made: number;
  skipped: number;
  failed: number;
  skips: Partial<Record<SkipReason, number>>;
  /** The first of those that failed. */
  errors: ActionError[];
  /** The ids of the first jobs that were made. */
  first: string[];
  /** Why it does not go on just now (a queue is full), or was ended before its end, in words; null: it does. */
  held: string | null;
  /** The page that is next, of so many. */
  page: number;
  pages: number;
}

/** Whether it is written as an id of an action; there may be none of it. */
export const isActionId = (text: string): boolean => /^action_[0-9a-f]{32}$/.test(text);

/** null: there is none (any more). */
export async function readAction(store: Store, id: string): Promise<Action | null> {
  if (!isActionId(id)) return null;
  return actionFromRecord(id, await store.redis.hgetall(actionKeys(id).action));
}

/** The newest ones, newest first. */
export async function listActions(store: Store, limit: number): Promise<Action[]> {
  const ids = await store.redis.zrevrange(ACTIONS_KEY, 0, limit - 1);
  if (ids.length === 0) return [];
  const pipeline = store.redis.pipeline();
  for (const id of ids) pipeline.hgetall(actionKeys(id).action);
  return ((await pipeline.exec()) ?? []).flatMap(([error, record], index) => {
    if (error) throw error;
    return actionFromRecord(ids[index] as string, record as Record<string, string>) ?? [];
  });
}

export function noSuchAction(id: string): NotFoundError {
  return new NotFoundError(`There is no action with the id '${id.slice(0, 80)}' (any more).`, 'id');
}

const SKIPPED = 'skipped:';

function actionFromRecord(id: string, record: Record<string, string>): Action | null {
  if (record.status === undefined) return null;
  const number = (name: string): number => Number(record[name] ?? 0);
  const skips: Action['skips'] = {};
  for (const [field, count] of Object.entries(record)) {
    if (field.startsWith(SKIPPED)) skips[field.slice(SKIPPED.length) as SkipReason] = Number(count);
  }
  const skipped = Object.values(skips).reduce((sum, count) => sum + count, 0);
  const [made, failed] = [number('made'), number('failed')];
  return {
    ...{ id, kind: record.kind as ActionKind, status: record.status as ActionStatus },
    ...{ what: record.what ?? '', cause: record.cause ?? null, key: record.key ?? null },
    edit: readJson<JobEdit>(record.edit),
    created_at: number('created_at'),
    ended_at: record.ended_at === undefined ? null : number('ended_at'),
    ...{ total: number('total'), done: made + skipped + failed, made, skipped, failed, skips },
    errors: readJson<ActionError[]>(record.errors) ?? [],
    first: readJson<string[]>(record.first) ?? [],
    held: record.held || null,
    ...{ page: number('page'), pages: number('pages') },
  };
}

/** The record's field that counts what was skipped for a reason. */
export function skippedField(reason: SkipReason): string {
  return `${SKIPPED}${reason}`;
}
