/** Where the jobs of a flow's step are. */
import type { FlowStep, StepState } from '@millrace/core';
import type { Store, StoreQueue } from '../store.ts';
import { type Flow, stepJobId } from './flow-record.ts';

/** In the order of its list. */
export function stepJobs(store: Store, flow: Flow, step: string): { queue: StoreQueue; id: string }[] {
  const { total, madeBy, kept = {} } = flow.steps[step] as StepState;
  const queue = store.queues.get(queueNameOf(store, flow.definition.steps[step] as FlowStep));
  if (queue === undefined) return [];
  const idOf = (index: number): string => kept[index] ?? stepJobId(madeBy, step, index, queue.tag);
  return Array.from({ length: total }, (_, index) => ({ queue, id: idOf(index) }));
}

export function queueNameOf(store: Store, { job }: FlowStep): string {
  if (typeof job['queue'] === 'string') return job['queue'];
  const type = String(job['type']);
  return store.queues.has(type) ? type : ([...store.queues.keys()][0] ?? '');
}
