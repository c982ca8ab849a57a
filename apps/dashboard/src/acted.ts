/** Every change that a page makes is noted in the audit list, with who made it. */
import { noteAct, type Store } from '@millrace/queue';
import type { Request } from 'express';
import { callerOf } from './sessions.ts';

/**
 * Notes that the caller did something. To be called once it is done; a change that was refused is none.
 * @param what `job.cancel`, `queue.pause` …: the thing, a dot, the verb
 * @param target the id or name of the thing
 * @param detail what else matters, in words; never a prompt, and no secret
 */
export async function acted(store: Store, request: Request, what: string, target: string, detail = ''): Promise<void> {
  const { name: who, role } = callerOf(request);
  await noteAct(store, { who, role, what, target, detail });
}
