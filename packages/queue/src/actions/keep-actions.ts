/**
 * Carries out what is done to many jobs at once, page by page: one worker of the fleet does it, and whoever comes after a
 * crash goes on with the page that was not noted. Paced, so that others have their turn; a full queue is waited for.
 */
import { ShedError } from '@millrace/core';
import { actionKeys, OPEN_ACTIONS_KEY } from '../keys.ts';
import { type Duty, keepDuty } from '../lease.ts';
import { translateRedisError } from '../redis-refusal.ts';
import { runScript } from '../scripts.ts';
import type { Store } from '../store.ts';
import { type Action, readAction, skippedField } from './action.ts';
import { turnAction } from './create-action.ts';
import { doPage, type PageDone } from './do-page.ts';

const EVERY_MS = 500;
/** Of a round; no page is begun after so long, that the lease is kept. */
const ROUND_MS = 400;
/** In one round, of all actions together: 2,000 jobs a second, a fifth of what Redis takes. */
const ROUND_PAGES = 10;
const ERRORS_KEPT = 20;
const FIRST_KEPT = 20;

/** Starts the duty in this process; one process of the fleet does the work. */
export function keepActions(store: Store, holder: string): Duty {
  const tell = (error: unknown): void => store.log.warn({ err: error }, 'An action could not go on; trying again');
  return keepDuty(store.redis, 'actions', holder, EVERY_MS, () => carryOn(store, tell), tell);
}

/** One round: a page of each action in turn, who has waited longest first, until the round is full. */
export async function carryOn(store: Store, onError: (error: unknown) => void): Promise<void> {
  const began = Date.now();
  let pages = 0;
  let open = await store.redis.zrange(OPEN_ACTIONS_KEY, '0', '-1');
  while (open.length > 0) {
    const goesOn: string[] = [];
    for (const id of open) {
      if (pages++ >= ROUND_PAGES || Date.now() - began > ROUND_MS) return;
      // To the end of the line, whatever comes of it: many that are held must not keep one that is not from its turn.
      await store.redis.zadd(OPEN_ACTIONS_KEY, 'XX', Date.now(), id);
      try {
        if (await step(store, id)) goesOn.push(id);
      } catch (error) {
        // One that cannot go on must not keep the others from it.
        onError(error);
      }
    }
    open = goesOn;
  }
}

/** The next page of an action; false: there is nothing more to do of it now. */
async function step(store: Store, id: string): Promise<boolean> {
  const action = await readAction(store, id);
  if (action?.status !== 'running') {
    if (action === null) await store.redis.zrem(OPEN_ACTIONS_KEY, id);
    else await turnAction(store, id, ['stopping'], 'stopped');
    return false;
  }
  const page = await store.redis.lindex(actionKeys(id).pages, action.page);
  try {
    const done = await doPage(store, action, page?.split(' ') ?? []);
    return (await notePage(store, action, done)) === 'running';
  } catch (error) {
    const refusal = translateRedisError(error);
    const shed = refusal instanceof ShedError;
    const held = shed ? refusal.message : 'By a fault of ours, which is in the log of a worker. It is tried again.';
    await store.redis.hset(actionKeys(id).action, 'held', held);
    if (!shed) throw error;
    return false;
  }
}

async function notePage(store: Store, action: Action, { made, skips, errors }: PageDone): Promise<string> {
  const grow = new Map<string, number>();
  const count = (field: string, by: number): unknown => by > 0 && grow.set(field, (grow.get(field) ?? 0) + by);
  count('made', made.length);
  count('failed', errors.length);
  for (const reason of skips) count(skippedField(reason), 1);
  const set: string[] = ['held', ''];
  if (errors.length > 0 && action.errors.length < ERRORS_KEPT) {
    set.push('errors', JSON.stringify([...action.errors, ...errors].slice(0, ERRORS_KEPT)));
  }
  if (action.kind === 'retry' && made.length > 0 && action.first.length < FIRST_KEPT) {
    set.push('first', JSON.stringify([...action.first, ...made].slice(0, FIRST_KEPT)));
  }
  const { action: key, pages } = actionKeys(action.id);
  const args = [action.id, action.page, ...[...grow].flat(), '', ...set];
  const status = await runScript(store.redis, 'note-page', [key, pages, OPEN_ACTIONS_KEY], args);
  await store.commit();
  return status as string;
}
