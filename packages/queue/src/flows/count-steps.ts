/** How far the steps are that go on: counted among their jobs without reading one of them whole. */
import { isTerminal, type JobError, type JobStatus } from '@millrace/core';
import { readJson } from '../job-record.ts';
import { flowKeys } from '../keys.ts';
import type { Store, StoreQueue } from '../store.ts';
import type { Flow } from './flow-record.ts';
import { stepJobs } from './start-step.ts';

export interface StepCounts {
  ended: number;
  /** Of those that ended. Null: the step has too many jobs to look at each while it goes on. */
  completed: number | null;
  failed: number | null;
}

/** Of a larger step is told how many have ended, and the rest once it is over. */
const COUNTED_MOST = 100;
const ASKED_AT_ONCE = 1000;

/** By step, of those in progress. One round trip. */
export async function countSteps(store: Store, flow: Flow): Promise<Map<string, StepCounts>> {
  const inProgress = Object.entries(flow.steps).filter(([, { status }]) => status === 'in_progress');
  const counts = await Promise.all(
    inProgress.map(async ([step, { total }]): Promise<StepCounts> => {
      if (total > COUNTED_MOST) {
        const open = await store.redis.scard(flowKeys(flow.id).open(step));
        return { ended: Math.max(0, total - open), completed: null, failed: null };
      }
      const ended = (await jobStatuses(store, stepJobs(store, flow, step))).filter(
        (status) => status === null || isTerminal(status),
      );
      const completed = ended.filter((status) => status === 'completed').length;
      return { ended: ended.length, completed, failed: ended.length - completed };
    }),
  );
  return new Map(inProgress.map(([step], index) => [step, counts[index] as StepCounts]));
}

type Place = { queue: StoreQueue; id: string };

/** The status of each job, in order; null of one that is gone. */
export async function jobStatuses(store: Store, places: readonly Place[]): Promise<(JobStatus | null)[]> {
  return (await readField(store, places, 'status')) as (JobStatus | null)[];
}

/** The error of each job, in order; null of one that has none. */
export async function jobErrors(store: Store, places: readonly Place[]): Promise<(JobError | null)[]> {
  return (await readField(store, places, 'error')).map((error) => readJson<JobError>(error));
}

async function readField(store: Store, places: readonly Place[], field: string): Promise<(string | null)[]> {
  const values: (string | null)[] = [];
  for (let from = 0; from < places.length; from += ASKED_AT_ONCE) {
    const pipeline = store.redis.pipeline();
    for (const { queue, id } of places.slice(from, from + ASKED_AT_ONCE)) pipeline.hget(queue.keys.job(id), field);
    for (const [error, value] of (await pipeline.exec()) ?? []) {
      if (error) throw error;
      values.push(value as string | null);
    }
  }
  return values;
}
