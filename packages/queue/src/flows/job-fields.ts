/** A field or some of many jobs, without reading one of them whole: by chunks, in the order that was asked for. */
import { isTerminal, type JobError, type JobStatus } from '@millrace/core';
import { readJson } from '../job-record.ts';
import type { Store, StoreQueue } from '../store.ts';

const ASKED_AT_ONCE = 1000;
/** A body may take megabytes. */
const READ_AT_ONCE = 200;

export type Place = { queue: StoreQueue; id: string };

/** The status of each job, in order; null of one that is gone. */
export async function jobStatuses(store: Store, places: readonly Place[]): Promise<(JobStatus | null)[]> {
  return (await readField(store, places, 'status')) as (JobStatus | null)[];
}

/** The error of each job, in order; null of one that has none. */
export async function jobErrors(store: Store, places: readonly Place[]): Promise<(JobError | null)[]> {
  return (await readField(store, places, 'error')).map((error) => readJson<JobError>(error));
}

/** As what each job was retried last, in order; null of one that was not. */
export function jobRetries(store: Store, places: readonly Place[]): Promise<(string | null)[]> {
  return readField(store, places, 'retried_as');
}

async function readField(store: Store, places: readonly Place[], field: string): Promise<(string | null)[]> {
  const values: (string | null)[] = [];
  for await (const [value = null] of readFields(store, places, [field], ASKED_AT_ONCE)) values.push(value);
  return values;
}

/** Some fields of each job, in order; only a chunk of them is in memory at once. */
export async function* readFields(
  store: Store,
  places: readonly Place[],
  fields: readonly string[],
  atOnce = READ_AT_ONCE,
): AsyncGenerator<(string | null)[]> {
  for (let from = 0; from < places.length; from += atOnce) {
    const pipeline = store.redis.pipeline();
    for (const { queue, id } of places.slice(from, from + atOnce)) pipeline.hmget(queue.keys.job(id), ...fields);
    for (const [error, values] of (await pipeline.exec()) ?? []) {
      if (error) throw error;
      yield values as (string | null)[];
    }
  }
}

/** Whether a job is there and has ended. */
export function isOver(status: JobStatus | null | undefined): boolean {
  return status != null && isTerminal(status);
}
