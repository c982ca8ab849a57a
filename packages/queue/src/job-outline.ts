/** How a job stands, without what it asks and what it was answered: small however large the job, so it may be read often. */
import type { Job } from '@millrace/core';
import { jobFromRecord } from './job-record.ts';
import { queueOfJob, type Store } from './store.ts';

export interface JobOutline {
  /** Its body is empty, and of its attempts there is at most the first. */
  job: Job;
  /** How many attempts have begun. */
  begun: number;
  /** How many have ended, its turns, and what was made of it: another one, another state. */
  stamp: string;
}

const FIELDS = [
  ...['status', 'type', 'model', 'priority', 'stamp', 'started_at', 'finished_at', 'delayed_until', 'deadline'],
  ...['follows', 'answered_by', 'turns', 'retried_as', 'epoch', 'counted', 'attempt:1', 'bytes'],
] as const;

/** One round trip of a kilobyte at most; null: there is no such job (any more). */
export async function readJobOutline(store: Store, id: string): Promise<JobOutline | null> {
  const queue = queueOfJob(store, id);
  if (queue === undefined) return null;
  const values = await store.redis.hmget(queue.keys.job(id), ...FIELDS);
  const record: Record<string, string> = {};
  for (const [place, field] of FIELDS.entries()) {
    const value = values[place];
    if (typeof value === 'string') record[field] = value;
  }
  const job = jobFromRecord(id, queue.name, record);
  if (job === null) return null;
  const told = ['status', 'epoch', 'bytes', 'turns', 'retried_as'].map((field) => record[field] ?? '');
  return { job, begun: Number(record.epoch ?? 0), stamp: told.join(' ') };
}
