/** A step's start: its jobs are made, and each stored under an id of its own place, however often that is done. */
import {
  type FlowStep,
  InvalidRequestError,
  type JobError,
  type NewJob,
  type StepState,
  TemplateError,
} from '@millrace/core';
import { flowKeys } from '../keys.ts';
import { roomIn } from '../room.ts';
import type { Store, StoreQueue } from '../store.ts';
import { submit } from '../submit.ts';
import { FLOW_KEPT_MS, type Flow, stepJobId } from './flow-record.ts';
import { isOver, jobStatuses } from './job-fields.ts';
import { keptOf } from './kept-jobs.ts';
import { makeJobs } from './make-jobs.ts';
import { queueNameOf } from './step-jobs.ts';

/**
 * @returns the step as it is then: in progress, or over already
 * @throws ShedError where a queue has no room
 */
export async function startStep(store: Store, flow: Flow, step: string): Promise<StepState> {
  const state: StepState = { ...(flow.steps[step] as StepState), madeBy: flow.id };
  await refuseWhenFull(store, flow.definition.steps[step] as FlowStep);
  let jobs: NewJob[];
  try {
    jobs = await makeJobs(store, flow, step);
  } catch (error) {
    const fault = faultOf(error);
    if (fault === null) throw error;
    return { ...state, status: 'failed', error: fault };
  }
  if (jobs.length === 0) return { ...state, status: 'completed' };
  const queue = store.queues.get(jobs[0]?.queue ?? '') as StoreQueue;
  const kept = await keptOf(store, flow, step, jobs);
  const placed = jobs.flatMap((job, index) => {
    if (kept[index] !== undefined) return [];
    return [{ ...job, id: stepJobId(flow.id, step, index, queue.tag), flow: flow.id, step, idempotency: null }];
  });
  await place(store, flow, step, queue, placed);
  return { ...state, status: 'in_progress', total: jobs.length, kept };
}

/** Asked first: it is tried every two seconds while there is no room, and thousands of jobs are not made in vain. */
async function refuseWhenFull(store: Store, step: FlowStep): Promise<void> {
  const queue = store.queues.get(queueNameOf(store, step));
  if (queue === undefined) return;
  const { room, refusal } = await roomIn(store, queue);
  if (room === 0) throw refusal();
}

/**
 * Stores a step's jobs. Those stored before, when there was no room for all, take none of it now; and those that have
 * ended are not waited for again.
 */
async function place(
  store: Store,
  flow: Flow,
  step: string,
  queue: StoreQueue,
  jobs: readonly (NewJob & { id: string })[],
): Promise<void> {
  const statuses = await jobStatuses(
    store,
    jobs.map(({ id }) => ({ queue, id })),
  );
  const open = jobs.filter((_, index) => !isOver(statuses[index]));
  const missing = jobs.filter((_, index) => statuses[index] === null);
  const key = flowKeys(flow.id).open(step);
  if (open.length > 0) {
    const added = await store.redis
      .multi()
      .sadd(key, ...open.map(({ id }) => id))
      .pexpire(key, FLOW_KEPT_MS)
      .exec();
    for (const [error] of added ?? []) if (error) throw error;
  }
  for (const reply of await submit(store, missing)) if (reply instanceof Error) throw reply;
}

/** What is wrong with the step itself, and will be at every try. */
function faultOf(error: unknown): JobError | null {
  if (error instanceof TemplateError) return { code: 'template_error', message: error.message };
  if (error instanceof InvalidRequestError)
    return { code: error.code ?? 'invalid_request', message: error.message, param: error.param };
  // What the language throws is about what is filled in (texts too long together, say); all else is Redis's.
  if (!(error instanceof RangeError || error instanceof TypeError || error instanceof SyntaxError)) return null;
  return { code: 'step_error', message: error.message };
}
