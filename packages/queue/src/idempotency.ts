/**
 * Submit once: the same caller, key and body is the same job. The key is noted before the job is added, with the id the
 * job will have; a second submission finds the id and adds the job under it if it is not there. So a reply that was
 * lost, two racing API processes, and one that died in between all end in one job.
 */
import { createHash } from 'node:crypto';
import { ConflictError, canonical, type NewJob } from '@millrace/core';
import type { Redis } from 'ioredis';
import { idempotencyKey } from './keys.ts';

/** How long a key is remembered: longer than the 24 hours promised, so that a day's retry never falls on the edge. */
export const KEPT_MS = 48 * 3_600_000;

/**
 * The ids the jobs are to be stored under: new ones, or those their keys already stand for.
 * @returns an id for each job, or the ConflictError of a key that stands for another body
 * @throws ReplyError from Redis (OOM …), or a connection error
 */
export async function claimIds(
  redis: Redis,
  jobs: readonly NewJob[],
  newIds: readonly string[],
): Promise<(string | ConflictError)[]> {
  const ids: (string | ConflictError)[] = [...newIds];
  // Most have no key; and making a pipeline costs a fifth of a millisecond, for each script the connection knows.
  if (jobs.every((job) => job.idempotency === null)) return ids;
  const pipeline = redis.pipeline();
  const claimed: { index: number; print: string }[] = [];
  for (const [index, job] of jobs.entries()) {
    if (job.idempotency === null) continue;
    const print = fingerprint(job);
    claimed.push({ index, print });
    const key = idempotencyKey(job.idempotency.caller, job.idempotency.key);
    pipeline.set(key, `${newIds[index]} ${print}`, 'PX', KEPT_MS, 'NX', 'GET');
  }
  const replies = (await pipeline.exec()) ?? [];
  for (const [place, { index, print }] of claimed.entries()) {
    const [error, earlier] = replies[place] ?? [null, null];
    if (error) throw error;
    if (earlier === null) continue;
    const [id, earlierPrint] = String(earlier).split(' ');
    ids[index] = earlierPrint === print && id !== undefined ? id : conflict();
  }
  return ids;
}

function conflict(): ConflictError {
  return new ConflictError(
    'This idempotency key was used for another request. Use a new key, or send the same body.',
    'idempotency_key',
    'idempotency_conflict',
  );
}

/** Everything that makes the job what it is; two bodies that differ only in the order of their fields are the same. */
function fingerprint(job: NewJob): string {
  // Whose it is says the key that it is noted under.
  const { idempotency: _, id: __, key: ___, ...what } = job;
  return createHash('sha256').update(canonical(what)).digest('hex');
}
