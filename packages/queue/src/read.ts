/** Reading: one job, its answer, and the listing in the order of creation over any queues and statuses. */
import { type Answer, JOB_STATUSES, type Job, type JobStatus } from '@millrace/core';
import { jobFromRecord } from './job-record.ts';
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
async function readMany(
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
    found.push({ job, answer: result ? (JSON.parse(result) as Answer) : null });
  }
  return found;
}

export interface ListQuery {
  queues?: readonly string[];
  statuses?: readonly JobStatus[];
  /** At most this many jobs. */
  limit: number;
  /** The id the page begins after; unknown ids begin at the newest. */
  after?: string;
}

export interface JobPage {
  jobs: Job[];
  hasMore: boolean;
}

/** Jobs, newest first. Costs a few reads a queue and status, whatever the number of jobs. */
export async function listJobs(store: Store, query: ListQuery): Promise<JobPage> {
  const queues = [...store.queues.values()].filter((queue) => query.queues?.includes(queue.name) ?? true);
  const statuses = query.statuses ?? JOB_STATUSES;
  const before = query.after === undefined ? null : await stampOf(store, query.after);
  const pipeline = store.redis.pipeline();
  const sources: StoreQueue[] = [];
  for (const queue of queues) {
    for (const status of statuses) {
      sources.push(queue);
      const from = before === null ? '+inf' : `(${before}`;
      pipeline.zrange(
        queue.keys.status(status),
        from,
        '-inf',
        'BYSCORE',
        'REV',
        'LIMIT',
        0,
        query.limit + 1,
        'WITHSCORES',
      );
    }
  }
  const replies = (await pipeline.exec()) ?? [];
  const places: { queue: StoreQueue; id: string; stamp: number }[] = [];
  for (const [index, [error, reply]] of replies.entries()) {
    if (error) throw error;
    const flat = reply as string[];
    for (let i = 0; i < flat.length; i += 2) {
      places.push({ queue: sources[index] as StoreQueue, id: flat[i] as string, stamp: Number(flat[i + 1]) });
    }
  }
  places.sort((a, b) => b.stamp - a.stamp);
  const page = dedupe(places).slice(0, query.limit);
  const found = await readMany(store, page, false);
  return { jobs: found.map(({ job }) => job), hasMore: places.length > query.limit };
}

/** A job that moved from one status to another between two reads of the pipeline appears twice. */
function dedupe<T extends { id: string }>(places: readonly T[]): T[] {
  const seen = new Set<string>();
  return places.filter((place) => !seen.has(place.id) && seen.add(place.id));
}

async function stampOf(store: Store, id: string): Promise<string | null> {
  const queue = queueOfJob(store, id);
  return queue === undefined ? null : store.redis.hget(queue.keys.job(id), 'stamp');
}

/** The newest failed jobs of each queue, newest first. */
export async function lastFailures(store: Store, limit: number): Promise<Job[]> {
  const queues = [...store.queues.values()];
  const pipeline = store.redis.pipeline();
  for (const queue of queues) pipeline.lrange(queue.keys.failures, 0, limit - 1);
  const replies = (await pipeline.exec()) ?? [];
  const places = queues.flatMap((queue, index) =>
    ((replies[index]?.[1] ?? []) as string[]).map((id) => ({ queue, id })),
  );
  const found = await readMany(store, places, false);
  return found
    .map(({ job }) => job)
    .sort((a, b) => (b.finished_at ?? 0) - (a.finished_at ?? 0))
    .slice(0, limit);
}
