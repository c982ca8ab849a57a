/** Reading jobs: one with its answer, some by their ids, and the last failures. */
import type { Answer, Job } from '@millrace/core';
import { jobFromRecord, readJson } from './job-record.ts';
import { queueOfJob, type Store, type StoreQueue } from './store.ts';

export interface JobWithAnswer {
  job: Job;
  answer: Answer | null;
}

/** A job and its answer, or null when there is no such job (any more). One round trip. */
export async function readJob(store: Store, id: string): Promise<JobWithAnswer | null> {
  const queue = queueOfJob(store, id);
  if (queue === undefined) return null;
  const [found] = await readMany(store, [{ queue, id }], true);
  return found ?? null;
}

/** Jobs by their ids, in the same order; those that are gone are left out. */
export async function readMany(
  store: Store,
  places: readonly { queue: StoreQueue; id: string }[],
  withAnswers: boolean,
): Promise<JobWithAnswer[]> {
  if (places.length === 0) return [];
  const pipeline = store.redis.pipeline();
  for (const { queue, id } of places) {
    pipeline.hgetall(queue.keys.job(id));
    if (withAnswers) pipeline.get(queue.keys.result(id));
  }
  const replies = (await pipeline.exec()) ?? [];
  const step = withAnswers ? 2 : 1;
  const found: JobWithAnswer[] = [];
  for (const [index, { queue, id }] of places.entries()) {
    const [error, record] = replies[index * step] ?? [null, {}];
    if (error) throw error;
    const job = jobFromRecord(id, queue.name, record as Record<string, string>);
    if (job === null) continue;
    const result = withAnswers ? (replies[index * step + 1]?.[1] as string | null) : null;
    found.push({ job, answer: readJson<Answer>(result) });
  }
  return found;
}

/** The newest failed jobs of each queue, newest first. */
export async function lastFailures(store: Store, limit: number): Promise<Job[]> {
  const queues = [...store.queues.values()];
  const pipeline = store.redis.pipeline();
  for (const queue of queues) pipeline.lrange(queue.keys.failures, 0, limit - 1);
  const replies = (await pipeline.exec()) ?? [];
  const places = queues.flatMap((queue, index) => {
    const [error, ids] = replies[index] ?? [null, []];
    if (error) throw error;
    return (ids as string[]).map((id) => ({ queue, id }));
  });
  const found = await readMany(store, places, false);
  return found
    .map(({ job }) => job)
    .sort((a, b) => (b.finished_at ?? 0) - (a.finished_at ?? 0))
    .slice(0, limit);
}
