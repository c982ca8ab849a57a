/** The audit list: who did what to which part of the whole, and when. Bounded; the newest are kept. */
import type { Role } from '@millrace/core';
import { ACTS_KEY } from './keys.ts';
import type { Store } from './store.ts';

const ACTS_KEPT = 10_000;
/** Looked through for one page of the list: what does not match costs Redis as much as what does. */
const LOOKED_THROUGH = 2000;
const READ_AT_ONCE = 500;

export interface Act {
  /** The name of the API key, 'anybody' where none are configured, or empty: somebody without a key. */
  who: string;
  /** null: somebody without a key. */
  role: Role | null;
  /** `job.cancel`, `queue.pause`, `session.sign_in` … */
  what: string;
  /** The id or name of what it was done to; empty: nothing in particular. */
  target: string;
  /** What else matters of it, in words. Never a prompt, and no secret. */
  detail: string;
}

export interface NotedAct extends Act {
  /** Of its place in the list. */
  id: string;
  /** By Redis's clock, in ms. */
  at: number;
}

export interface ActsQuery {
  limit: number;
  /** The id of an act: what is older than it. */
  after?: string | undefined;
  /** Only by them. */
  who?: string | undefined;
  /** Only this: `queue.pause`; or only of this kind: `queue`. */
  what?: string | undefined;
}

export interface ActsPage {
  /** The newest first. May be short, or empty, with more to come. */
  acts: NotedAct[];
  /** Where the next page begins; null: this was the last. */
  next: string | null;
}

/** Notes what was done. Never throws: it is done all the same, so what cannot be noted goes to the log. */
export async function noteAct(store: Store, { who, role, what, target, detail }: Act): Promise<void> {
  const fields = ['who', who, 'role', role ?? '', 'what', what, 'target', target, 'detail', detail];
  try {
    await store.liveness.guard(() => store.redis.xadd(ACTS_KEY, 'MAXLEN', '~', ACTS_KEPT, '*', ...fields));
  } catch (err) {
    store.log.warn({ err, who, what, target }, 'What was done could not be noted in the audit list');
  }
}

/** A page of the list, the newest first. Looks through at most 2,000 of them. */
export async function readActs(store: Store, { limit, after, who, what }: ActsQuery): Promise<ActsPage> {
  const acts: NotedAct[] = [];
  let last = after;
  for (let looked = 0; looked < LOOKED_THROUGH; looked += READ_AT_ONCE) {
    // Without a filter, one more than is shown tells whether there are more.
    const count = who === undefined && what === undefined ? limit + 1 : READ_AT_ONCE;
    const before = last === undefined ? '+' : `(${last}`;
    const entries = await store.redis.xrevrange(ACTS_KEY, before, '-', 'COUNT', count);
    for (const [id, fields] of entries) {
      if (acts.length === limit) return { acts, next: last ?? null };
      last = id;
      const act = actOf(id, fields);
      const matches = what === undefined || act.what === what || act.what.startsWith(`${what}.`);
      if (matches && (who === undefined || act.who === who)) acts.push(act);
    }
    if (entries.length < count) return { acts, next: null };
  }
  return { acts, next: last ?? null };
}

function actOf(id: string, list: readonly string[]): NotedAct {
  const fields: Partial<Record<string, string>> = {};
  for (let i = 0; i + 1 < list.length; i += 2) fields[list[i] ?? ''] = list[i + 1] ?? '';
  const { who = '', role, what = '', target = '', detail = '' } = fields;
  const known = role === 'operator' || role === 'viewer' ? role : null;
  return { id, at: Number(id.split('-')[0]), who, role: known, what, target, detail };
}
