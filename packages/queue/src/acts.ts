/** The audit list: who did what to which part of the whole, and when. Bounded; the newest are kept. */
import type { Role } from '@millrace/core';
import { ACTS_KEY } from './keys.ts';
import type { Store } from './store.ts';

const ACTS_KEPT = 10_000;

export interface Act {
  /** The name of the API key, or 'anybody' where none are configured. */
  who: string;
  role: Role;
  /** `job.cancel`, `queue.pause`, `session.sign_in` … */
  what: string;
  /** The id or name of what it was done to; empty: nothing in particular. */
  target: string;
  /** What else matters of it, in words. Never a prompt, and no secret. */
  detail: string;
}

/** Notes what was done. */
export async function noteAct(store: Store, { who, role, what, target, detail }: Act): Promise<void> {
  const fields = ['who', who, 'role', role, 'what', what, 'target', target, 'detail', detail];
  await store.redis.xadd(ACTS_KEY, 'MAXLEN', '~', ACTS_KEPT, '*', ...fields);
}
