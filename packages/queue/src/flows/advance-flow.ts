/**
 * A flow's next steps, whenever one of its jobs has ended: told by the outbox, by any process, perhaps more than once or
 * by two at a time. All that is written is the same then: ids of jobs are made of the step and its place.
 */
import { type FlowStep, ShedError, type StepState } from '@millrace/core';
import { translateRedisError } from '../redis-refusal.ts';
import type { Store } from '../store.ts';
import { cancelOpen, tellEnd } from './end-flow.ts';
import { type Flow, hasEnded, readFlow, writeStep } from './flow-record.ts';
import { noteEnds } from './note-ends.ts';
import { settleStep } from './settle-step.ts';
import { startStep } from './start-step.ts';

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
      // That a queue is full, or Redis, is nobody's fault, and no news every two seconds.
      if (!(translateRedisError(error) instanceof ShedError))
        store.log.warn({ err: error, flow }, 'A flow could not go on; trying again');
    }
  }
  return stuck;
}

/**
 * @param ended jobs of it that have just ended
 * @param look at every job that is thought to go on, as nobody may have heard of its end
 * @throws ShedError when a queue is full: what could not be started is started when this is done again
 */
export async function advanceFlow(
  store: Store,
  id: string,
  ended: readonly string[] = [],
  look = false,
): Promise<void> {
  if (ended.length > 0 && !(await noteEnds(store, id, ended))) return;
  const flow = await readFlow(store, id);
  if (flow === null || flow.status !== 'in_progress') return;
  const inProgress = (): string[] =>
    Object.keys(flow.steps).filter((step) => flow.steps[step]?.status === 'in_progress');
  const looked = new Set(look ? [] : inProgress());
  const shed = new Map<string, ShedError>();
  for (let moved = true; moved; ) {
    moved = false;
    for (const step of inProgress()) {
      const state = await settleStep(store, flow, step, !looked.has(step));
      looked.add(step);
      if (state === null) continue;
      await move(store, flow, step, state);
      moved = true;
    }
    for (const step of Object.keys(flow.steps)) {
      if (shed.has(step)) continue;
      try {
        moved = (await startOrSkip(store, flow, step)) || moved;
      } catch (error) {
        if (!(error instanceof ShedError)) throw error;
        // Those in other queues may start all the same.
        shed.set(step, error);
      }
      if (flow.status !== 'in_progress') return;
    }
  }
  for (const error of shed.values()) throw error;
  await endOf(store, flow);
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
  try {
    await move(store, flow, step, await startStep(store, flow, step));
  } finally {
    // It may have been cancelled meanwhile, or failed, by one who has not seen these jobs.
    const status = await hasEnded(store, flow.id);
    if (status !== null) {
      flow.status = status;
      await cancelOpen(store, flow.id, [step]);
    }
  }
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
