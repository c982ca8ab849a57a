/** The listing: jobs newest first, over any queues and statuses, page by page without a gap or a repetition. */
import { InvalidRequestError, JOB_STATUSES, type Job, type JobStatus } from '@millrace/core';
import { readMany } from './read.ts';
import { queueScript } from './scripts.ts';
import { queueOfJob, type Store, type StoreQueue } from './store.ts';

export interface ListQuery {
  queues?: readonly string[];
  statuses?: readonly JobStatus[];
  /** At most this many jobs. */
  limit: number;
  /** The id of the last job of the page before. */
  after?: string;
}

export interface JobPage {
  jobs: Job[];
  hasMore: boolean;
}

export interface IdPage {
  ids: string[];
  hasMore: boolean;
}

interface Place {
  queue: StoreQueue;
  id: string;
  stamp: number;
}

/**
 * Jobs, newest first. Costs a few reads a queue and status, whatever the number of jobs.
 * @throws InvalidRequestError when the job to begin after is not there (any more): to begin with the newest instead
 * would send whoever pages through it all round and round.
 */
export async function listJobs(store: Store, query: ListQuery): Promise<JobPage> {
  const { places, hasMore } = await listPlaces(store, query);
  const found = await readMany(store, places, false);
  return { jobs: found.map(({ job }) => job), hasMore };
}

/**
 * Their ids only: for who reads no more of each than it shows.
 * @throws InvalidRequestError as listJobs
 */
export async function listJobIds(store: Store, query: ListQuery): Promise<IdPage> {
  const { places, hasMore } = await listPlaces(store, query);
  return { ids: places.map(({ id }) => id), hasMore };
}

async function listPlaces(store: Store, query: ListQuery): Promise<{ places: Place[]; hasMore: boolean }> {
  const after = query.after === undefined ? null : await placeOf(store, query.after);
  const queues = [...store.queues.values()].filter((queue) => query.queues?.includes(queue.name) ?? true);
  const statuses = query.statuses ?? JOB_STATUSES;
  const pipeline = store.redis.pipeline();
  for (const { keys } of queues) {
    // One more tells whether there are more; another makes up for the job to begin after, which is read again.
    queueScript(pipeline, 'list', statuses.map(keys.status), [after?.stamp ?? '+inf', query.limit + 2]);
  }
  const replies = (await pipeline.exec()) ?? [];
  const places: Place[] = [];
  for (const [index, queue] of queues.entries()) {
    const [error, reply] = replies[index] ?? [null, []];
    if (error) throw error;
    const flat = reply as string[];
    for (let i = 0; i < flat.length; i += 2) {
      const place = { queue, id: flat[i] as string, stamp: Number(flat[i + 1]) };
      if (after === null || newestFirst(after, place) < 0) places.push(place);
    }
  }
  places.sort(newestFirst);
  return { places: places.slice(0, query.limit), hasMore: places.length > query.limit };
}

/** Stamps are unique within a queue only: two queues may take a job in the same microsecond. */
function newestFirst(a: Pick<Place, 'id' | 'stamp'>, b: Pick<Place, 'id' | 'stamp'>): number {
  if (a.stamp !== b.stamp) return b.stamp - a.stamp;
  return a.id < b.id ? 1 : a.id > b.id ? -1 : 0;
}

async function placeOf(store: Store, id: string): Promise<{ id: string; stamp: number }> {
  const queue = queueOfJob(store, id);
  const stamp = queue === undefined ? null : await store.redis.hget(queue.keys.job(id), 'stamp');
  if (stamp === null) {
    throw new InvalidRequestError(
      `There is no job '${id.slice(0, 80)}' to begin after (any more).`,
      'after',
      'invalid_value',
    );
  }
  return { id, stamp: Number(stamp) };
}
