/** A flow's end: said once, and all that follows from it, which may be done again by another where one did not get to it. */
import { type FlowStatus, NotFoundError } from '@millrace/core';
import { retireJobs } from '../batches/retire-jobs.ts';
import { cancelJob } from '../cancel.ts';
import { flowKeys, OPEN_FLOWS_KEY } from '../keys.ts';
import { queueOfJob, type Store } from '../store.ts';
import { sendEvent } from '../webhooks/outbox.ts';
import { endFlow, type Flow, readFlow } from './flow-record.ts';
import { stepJobs } from './step-jobs.ts';

export type FlowEnd = Exclude<FlowStatus, 'in_progress'>;

const CANCELLED_AT_ONCE = 50;

/** Ends a flow that has not ended. */
export async function tellEnd(store: Store, id: string, status: FlowEnd): Promise<void> {
  if (await endFlow(store, id, status)) await afterEnd(store, id, status);
}

/** Who wants to know is told, and what still goes on of the flow is cancelled, what has ended let go. Done twice it is as done once. */
export async function afterEnd(store: Store, id: string, status: FlowEnd): Promise<void> {
  await sendEvent(store, `flow.${status}`, { id }, `evt_${id.slice(-32)}`);
  const flow = await readFlow(store, id);
  if (flow !== null) {
    await cancelOpen(store, id, Object.keys(flow.steps));
    await letGo(store, flow);
  }
  await store.redis.zrem(OPEN_FLOWS_KEY, id);
}

/** Cancels the jobs of steps that have not ended; those that were never stored are none. */
export async function cancelOpen(store: Store, id: string, steps: readonly string[]): Promise<void> {
  for (const step of steps) {
    const jobs = await store.redis.smembers(flowKeys(id).open(step));
    for (let from = 0; from < jobs.length; from += CANCELLED_AT_ONCE) {
      await Promise.all(jobs.slice(from, from + CANCELLED_AT_ONCE).map((job) => cancelIfThere(store, job)));
    }
  }
}

async function cancelIfThere(store: Store, job: string): Promise<void> {
  try {
    await cancelJob(store, job);
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
  }
}

/** From now on a flow's jobs are kept as long as any others. Those that end later are let go of one by one. */
export async function letGo(store: Store, flow: Flow): Promise<void> {
  for (const step of Object.keys(flow.steps)) {
    const open = await store.redis.smembers(flowKeys(flow.id).open(step));
    await letGoOf(store, [...stepJobs(store, flow, step).map(({ id }) => id), ...open]);
  }
}

/** @param jobs of a flow that has ended */
export async function letGoOf(store: Store, jobs: readonly string[]): Promise<void> {
  for (const queue of store.queues.values()) {
    await retireJobs(
      store,
      queue,
      jobs.filter((job) => queueOfJob(store, job) === queue),
    );
  }
}
