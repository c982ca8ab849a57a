/**
 * OpenAI's SDKs send a request again by themselves when its connection broke, and say so. What they sent before goes its
 * way all the same: the second request waits for the same job instead of making, and paying, another one.
 */
import { createHash } from 'node:crypto';
import { canonical, type NewJob } from '@millrace/core';
import { resendKey } from './keys.ts';
import { readJob } from './read.ts';
import type { Store } from './store.ts';

/** The SDKs send again within seconds, after waits of minutes at most. */
const KEPT_MS = 3_600_000;

/**
 * Remembers what a request becomes, in case it is sent again; called before it is stored, in the same turn, so that both
 * go to the disk at once. Never throws: a resend is then a new request.
 */
export async function noteSent(store: Store, caller: string, job: NewJob, id: string): Promise<void> {
  await store.redis.set(resendKey(caller, fingerprint(job)), id, 'PX', KEPT_MS).catch(() => undefined);
}

/** The job that the same request became before; null where it is not known, or not there any more. */
export async function findSent(store: Store, caller: string, job: NewJob): Promise<string | null> {
  const id = await store.redis.get(resendKey(caller, fingerprint(job)));
  return id !== null && (await readJob(store, id)) !== null ? id : null;
}

function fingerprint(job: NewJob): string {
  // Whose it is says the key that it is noted under.
  const { key: _, ...what } = job;
  return createHash('sha256').update(canonical(what)).digest('hex');
}
