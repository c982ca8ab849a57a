/**
 * A flow's next steps, whenever one of its jobs has ended: told by the outbox, by any process, perhaps more than once or
 * by two at a time. All that is written is the same then: ids of jobs are made of the step and its place.
 */
import {
  type FlowStatus,
  type FlowStep,
  isTerminal,
  type JobStatus,
  ShedError,
  type StepState,
  type Usage,
} from '@millrace/core';
import { flowKeys } from '../keys.ts';
import { readMany } from '../read.ts';
import { queueOfJob, type Store } from '../store.ts';
import { sendEvent } from '../webhooks/outbox.ts';
import { endFlow, type Flow, readFlow, writeStep } from './flow-record.ts';
import { startStep, stepJobs } from './start-step.ts';

/**
 * Each flow by itself: one that cannot go on keeps no other from it.
 * @param ends `<flow id> <job id>` each, or `<flow id>` where it is only to be looked at again
 * @returns the ids of the flows that are to be tried again later: a queue has no room, or something went wrong
 */
export async function advanceFlows(store: Store, ends: readonly string[]): Promise<string[]> {
  const flows = new Map<string, string[]>();
  for (const end of ends) {
    const [flow = '', job] = end.split(' ');
    const jobs = flows.get(flow) ?? [];
    flows.set(flow, jobs);
    if (job !== undefined) jobs.push(job);
  }
  const stuck: string[] = [];
  for (const [flow, jobs] of flows) {
    try {
      await advanceFlow(store, flow, jobs);
    } catch (error) {
      stuck.push(flow);
      // That a queue is full is nobody's fault, and no news every two seconds.
      if (!(error instanceof ShedError)) store.log.warn({ err: error, flow }, 'A flow could not go on; trying again');
    }
  }
  return stuck;
}

/** @throws ShedError when a queue is full: what could not be started is started when this is done again */
export async function advanceFlow(store: Store, id: string, ended: readonly string[] = []): Promise<void> {
  const flow = await readFlow(store, id);
  if (flow === null) return;
  const inProgress = (): string[] =>
    Object.keys(flow.steps).filter((step) => flow.steps[step]?.status === 'in_progress');
  if (ended.length > 0) {
    const pipeline = store.redis.pipeline();
    for (const step of inProgress()) pipeline.srem(flowKeys(id).open(step), ...ended);
    await pipeline.exec();
  }
  if (flow.status !== 'in_progress') return;
  const fresh = new Set<string>();
  for (let moved = true; moved; ) {
    moved = false;
    for (const step of inProgress()) moved = (await settleStep(store, flow, step, fresh.delete(step))) || moved;
    for (const step of Object.keys(flow.steps)) {
      if (!(await startOrSkip(store, flow, step))) continue;
      fresh.add(step);
      moved = true;
    }
  }
  await endOf(store, flow);
}

/**
 * @param fresh it was started just now: jobs of it may have ended before anybody knew of the step
 * @returns true when the step is over now
 */
async function settleStep(store: Store, flow: Flow, step: string, fresh: boolean): Promise<boolean> {
  const key = flowKeys(flow.id).open(step);
  if ((await store.redis.scard(key)) > 0 && !(fresh && (await dropEnded(store, key)))) return false;
  const state = flow.steps[step] as StepState;
  const jobs = (await readMany(store, stepJobs(store, flow, step), false)).map(({ job }) => job);
  const completed = jobs.filter(({ status }) => status === 'completed').length;
  const failed = state.total - completed;
  const first = jobs.find(({ status }) => status !== 'completed');
  const error =
    failed === 0
      ? null
      : (first?.error ?? {
          code: first?.status ?? 'missing',
          message: first === undefined ? 'A job is gone.' : `The job ${first.id} is ${first.status}.`,
        });
  const usage = jobs.reduce<Usage | null>((sum, job) => addUsage(sum, job.usage), null);
  const status = failed === 0 ? 'completed' : 'failed';
  await move(store, flow, step, { ...state, status, completed, failed, error, usage });
  return true;
}

/** Of the jobs that are thought to go on, those that have ended are dropped. @returns true when none is left */
async function dropEnded(store: Store, key: string): Promise<boolean> {
  const ids = await store.redis.smembers(key);
  const pipeline = store.redis.pipeline();
  for (const id of ids) pipeline.hget(queueOfJob(store, id)?.keys.job(id) ?? '', 'status');
  const replies = (await pipeline.exec()) ?? [];
  const over = ids.filter((_, index) => {
    const status = replies[index]?.[1] as JobStatus | null;
    return status === null || isTerminal(status);
  });
  if (over.length > 0) await store.redis.srem(key, ...over);
  return over.length === ids.length;
}

async function startOrSkip(store: Store, flow: Flow, step: string): Promise<boolean> {
  const state = flow.steps[step] as StepState;
  if (state.status !== 'waiting') return false;
  if (isFailing(flow)) {
    await move(store, flow, step, { ...state, status: 'skipped' });
    return true;
  }
  const { needs } = flow.definition.steps[step] as FlowStep;
  const before = needs.map((need) => ({ state: flow.steps[need] as StepState, policy: policyOf(flow, need) }));
  if (before.some((need) => need.state.status === 'waiting' || need.state.status === 'in_progress')) return false;
  if (
    before.some(({ state: { status }, policy }) => status === 'skipped' || (status === 'failed' && policy === 'skip'))
  ) {
    await move(store, flow, step, { ...state, status: 'skipped' });
    return true;
  }
  await move(store, flow, step, await startStep(store, flow, step));
  return true;
}

function policyOf(flow: Flow, step: string): FlowStep['onFailure'] {
  return flow.definition.steps[step]?.onFailure ?? 'fail';
}

/** A step has failed that the flow must not go on without. */
function isFailing(flow: Flow): boolean {
  return Object.entries(flow.steps).some(
    ([step, { status }]) => status === 'failed' && policyOf(flow, step) === 'fail',
  );
}

async function move(store: Store, flow: Flow, step: string, state: StepState): Promise<void> {
  flow.steps[step] = state;
  await writeStep(store, flow.id, step, state);
}

async function endOf(store: Store, flow: Flow): Promise<void> {
  const states = Object.values(flow.steps);
  if (states.some(({ status }) => status === 'waiting' || status === 'in_progress')) return;
  await tellEnd(store, flow.id, isFailing(flow) ? 'failed' : 'completed');
}

/** Ends a flow, and tells who wants to know. */
export async function tellEnd(store: Store, id: string, status: Exclude<FlowStatus, 'in_progress'>): Promise<void> {
  if (await endFlow(store, id, status)) await sendEvent(store, `flow.${status}`, { id }, `evt_${id.slice(-32)}`);
}

export function addUsage(sum: Usage | null, more: Usage | null): Usage | null {
  if (sum === null || more === null) return sum ?? more;
  return {
    input_tokens: sum.input_tokens + more.input_tokens,
    input_tokens_details: {
      cached_tokens: sum.input_tokens_details.cached_tokens + more.input_tokens_details.cached_tokens,
    },
    output_tokens: sum.output_tokens + more.output_tokens,
    output_tokens_details: {
      reasoning_tokens: sum.output_tokens_details.reasoning_tokens + more.output_tokens_details.reasoning_tokens,
    },
    total_tokens: sum.total_tokens + more.total_tokens,
  };
}
