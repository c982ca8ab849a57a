/** Starting, stopping and resuming what is done to many jobs at once. Workers carry it out (see keep-actions.ts). */
import { randomBytes } from 'node:crypto';
import { ConflictError, InvalidRequestError, type JobEdit, ShedError } from '@millrace/core';
import { ACTIONS_KEY, actionKeys, OPEN_ACTIONS_KEY } from '../keys.ts';
import { translateRedisError } from '../redis-refusal.ts';
import { runScript } from '../scripts.ts';
import type { Store } from '../store.ts';
import { type Action, type ActionKind, type ActionStatus, noSuchAction, readAction } from './action.ts';

/** Their ids take 5 MB. */
export const MOST_ACTION_JOBS = 100_000;
/** Jobs that are looked at in one go, and what a stop may still have to wait for. */
export const PAGE_JOBS = 100;
const KEPT_MS = 30 * 86_400_000;
const KEPT_MOST = 1000;
const RUNNING_MOST = 20;
/** A stopped one holds its ids: beyond so many, who was stopped first cannot be resumed any more. */
const STOPPED_MOST = 20;
const PAGES_AT_ONCE = 100;
const BUSY_RETRY_SECONDS = 30;

export interface NewAction {
  kind: ActionKind;
  /** Which jobs; what is named twice is done once. */
  ids: readonly string[];
  what: string;
  cause: string | null;
  edit: JobEdit | null;
  key: string | null;
}

/**
 * Stores an action, to be carried out by workers. On disk when it resolves.
 * @throws InvalidRequestError for no jobs or too many; ShedError while too many actions are running, or Redis is full
 */
export async function createAction(store: Store, { kind, ids, what, cause, edit, key }: NewAction): Promise<string> {
  const jobs = [...new Set(ids)];
  if (jobs.length === 0) throw new InvalidRequestError('There is no job to do it to.', null, 'no_jobs');
  if (jobs.length > MOST_ACTION_JOBS) {
    throw new InvalidRequestError(
      `At most ${MOST_ACTION_JOBS} jobs can be acted on at once.`,
      'limit',
      'too_many_jobs',
    );
  }
  const running = await store.redis.zcard(OPEN_ACTIONS_KEY);
  if (running >= RUNNING_MOST) {
    const message = `${running} actions are running. Wait for one, or stop it.`;
    throw new ShedError(429, message, 'too_many_actions', BUSY_RETRY_SECONDS);
  }
  const id = `action_${randomBytes(16).toString('hex')}`;
  const { action, pages } = actionKeys(id);
  const list = Array.from({ length: Math.ceil(jobs.length / PAGE_JOBS) }, (_, page) =>
    jobs.slice(page * PAGE_JOBS, (page + 1) * PAGE_JOBS).join(' '),
  );
  const now = Date.now();
  try {
    for (let from = 0; from < list.length; from += PAGES_AT_ONCE) {
      await store.redis.rpush(pages, ...list.slice(from, from + PAGES_AT_ONCE));
      await store.redis.pexpire(pages, KEPT_MS);
    }
    const fields = {
      ...{ kind, status: 'running', what, created_at: now, total: jobs.length, page: 0, pages: list.length },
      ...(cause === null ? {} : { cause }),
      ...(edit === null ? {} : { edit: JSON.stringify(edit) }),
      ...(key === null ? {} : { key }),
    };
    const replies = await store.redis
      .multi()
      .hset(action, fields)
      .pexpire(action, KEPT_MS)
      .zadd(ACTIONS_KEY, now, id)
      .zremrangebyscore(ACTIONS_KEY, '-inf', now - KEPT_MS)
      .zremrangebyrank(ACTIONS_KEY, 0, -KEPT_MOST - 1)
      .zadd(OPEN_ACTIONS_KEY, now, id)
      .exec();
    for (const [error] of replies ?? []) if (error) throw error;
  } catch (error) {
    throw translateRedisError(error);
  }
  await store.commit();
  return id;
}

/** What is under way is ended; nothing more is begun. What was done stays. @throws NotFoundError, ConflictError */
export async function stopAction(store: Store, id: string): Promise<Action> {
  const stopping = await turn(store, id, ['running', 'stopping'], 'stopping', 'stopped');
  await endStopped(store);
  return stopping;
}

/** Makes room for one more that is stopped. */
async function endStopped(store: Store): Promise<void> {
  const ids = await store.redis.zrevrange(ACTIONS_KEY, 0, -1);
  const pipeline = store.redis.pipeline();
  for (const id of ids) pipeline.hmget(actionKeys(id).action, 'status', 'ended_at');
  const replies = (await pipeline.exec()) ?? [];
  const stopped = ids.flatMap((id, index) => {
    const [status, endedAt] = (replies[index]?.[1] ?? []) as (string | null)[];
    return status === 'stopped' ? [{ id, at: Number(endedAt) }] : [];
  });
  stopped.sort((a, b) => b.at - a.at);
  for (const { id } of stopped.slice(STOPPED_MOST - 1)) {
    if ((await turnAction(store, id, ['stopped'], 'completed')) !== 'stopped') continue;
    const { action, pages } = actionKeys(id);
    const held = `It was stopped, and cannot be resumed any more: ${STOPPED_MOST} others were stopped since.`;
    await store.redis.multi().hset(action, 'held', held).del(pages).exec();
  }
}

/** Goes on where it was stopped. @throws NotFoundError, ConflictError */
export async function resumeAction(store: Store, id: string): Promise<Action> {
  return turn(store, id, ['stopped', 'stopping', 'running'], 'running', 'resumed');
}

async function turn(
  store: Store,
  id: string,
  from: readonly ActionStatus[],
  to: ActionStatus,
  verb: string,
): Promise<Action> {
  const before = (await readAction(store, id)) === null ? '' : await turnAction(store, id, from, to);
  const after = await readAction(store, id);
  if (before === '' || after === null) throw noSuchAction(id);
  if (!(from as readonly string[]).includes(before)) {
    throw new ConflictError(`The action ${id} is ${before}: it cannot be ${verb}.`, 'id', `action_${before}`);
  }
  await store.commit();
  return after;
}

/** @returns the status it had ('': there is none); it was moved if that is among `from` */
export async function turnAction(
  store: Store,
  id: string,
  from: readonly ActionStatus[],
  to: ActionStatus,
): Promise<string> {
  const keys = [actionKeys(id).action, OPEN_ACTIONS_KEY];
  return (await runScript(store.redis, 'turn-action', keys, [id, to, from.join(' ')])) as string;
}
