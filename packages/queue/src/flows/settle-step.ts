/** A step that goes on is over once none of its jobs does: then it is told what they came to. */
import { type JobError, type StepState, totalUsage, type Usage } from '@millrace/core';
import { readJson } from '../job-record.ts';
import { flowKeys } from '../keys.ts';
import { queueOfJob, type Store } from '../store.ts';
import type { Flow } from './flow-record.ts';
import { isOver, jobStatuses, readFields } from './job-fields.ts';
import { stepJobs } from './step-jobs.ts';

/**
 * @param look at each of its jobs that is thought to go on: some may have ended before anybody knew of the step, or
 * without anybody hearing of it
 * @returns the step as it is now that it is over; null: it goes on
 */
export async function settleStep(store: Store, flow: Flow, step: string, look: boolean): Promise<StepState | null> {
  const key = flowKeys(flow.id).open(step);
  if ((await store.redis.scard(key)) > 0 && !(look && (await dropEnded(store, key)))) return null;
  const state = flow.steps[step] as StepState;
  const places = stepJobs(store, flow, step);
  let completed = 0;
  let found = 0;
  let error: JobError | null = null;
  let usage: Usage | null = null;
  for await (const [jobStatus, jobError, jobUsage] of readFields(store, places, ['status', 'error', 'usage'])) {
    const id = places[found++]?.id;
    usage = totalUsage([usage, readJson<Usage>(jobUsage)]);
    if (jobStatus === 'completed') completed++;
    else if (jobStatus != null) {
      error ??= readJson<JobError>(jobError) ?? { code: jobStatus, message: `The job ${id} is ${jobStatus}.` };
    }
  }
  const failed = state.total - completed;
  if (failed > 0) error ??= { code: 'missing', message: 'A job is gone.' };
  const status = failed === 0 ? 'completed' : 'failed';
  return { ...state, status, completed, failed, error, usage };
}

/** Of the jobs that are thought to go on, those that have ended are dropped. @returns true when none is left */
async function dropEnded(store: Store, key: string): Promise<boolean> {
  const ids = await store.redis.smembers(key);
  const places = ids.flatMap((id) => {
    const queue = queueOfJob(store, id);
    return queue === undefined ? [] : [{ queue, id }];
  });
  const statuses = await jobStatuses(store, places);
  // What is gone, or was in a queue that is gone, does not go on either.
  const open = new Set(
    places.filter((_, index) => statuses[index] != null && !isOver(statuses[index])).map(({ id }) => id),
  );
  const over = ids.filter((id) => !open.has(id));
  if (over.length > 0) await store.redis.srem(key, ...over);
  return open.size === 0;
}
