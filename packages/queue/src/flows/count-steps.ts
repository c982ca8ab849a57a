/** How far the steps are that go on: counted among their jobs without reading one of them whole. */
import { isTerminal } from '@millrace/core';
import { flowKeys } from '../keys.ts';
import type { Store } from '../store.ts';
import type { Flow } from './flow-record.ts';
import { jobStatuses } from './job-fields.ts';
import { stepJobs } from './step-jobs.ts';

export interface StepCounts {
  ended: number;
  /** Of those that ended. Null: the step has too many jobs to look at each while it goes on. */
  completed: number | null;
  failed: number | null;
}

/** Of a larger step is told how many have ended, and the rest once it is over. */
const COUNTED_MOST = 100;

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
