/**
 * What the pages of flows show, read again and again while somebody watches. Reading never fails: while Redis is away
 * what was read last is kept, and said to be old. What may be large of a flow is not kept.
 */
import { ShedError } from '@millrace/core';
import {
  countSteps,
  type Flow,
  listFlowIds,
  outlineOf,
  readFlow,
  refreshFlow,
  type StepCounts,
  type Store,
  stepJobs,
} from '@millrace/queue';
import { FLOWS_SHOWN } from './bounds.ts';

/** Why what is shown may not be what is. `gone`: it was kept as long as flows are. */
export type Trouble = 'unreachable' | 'gone' | null;

export interface FlowNow {
  /** Milliseconds of this process's clock. */
  at: number;
  trouble: Trouble;
  /** An outline (see `outlineOf`). */
  flow: Flow;
  /** By step, of those that go on. */
  counts: ReadonlyMap<string, StepCounts>;
  /** By step, of those that are one job. */
  onlyJobs: ReadonlyMap<string, string>;
}

export interface FlowList {
  at: number;
  trouble: Trouble;
  /** Outlines, newest first. */
  flows: readonly Flow[];
  more: boolean;
}

/** Returns a function that reads how far the flow is. */
export function openFlowReader(store: Store, outline: Flow): () => Promise<FlowNow> {
  let last: Pick<FlowNow, 'flow' | 'counts' | 'onlyJobs'> = { flow: outline, counts: new Map(), onlyJobs: new Map() };
  const read = async (): Promise<Trouble> => {
    const flow = await refreshFlow(store, last.flow);
    if (flow === null) return 'gone';
    last = { flow, counts: await countSteps(store, flow), onlyJobs: onlyJobsOf(store, flow) };
    return null;
  };
  const keepReading = withTrouble(store, read);
  return async () => {
    const trouble = await keepReading();
    return { ...last, trouble, at: Date.now() };
  };
}

function onlyJobsOf(store: Store, flow: Flow): Map<string, string> {
  const ones = Object.keys(flow.steps).filter((step) => flow.steps[step]?.total === 1);
  return new Map(ones.flatMap((step) => stepJobs(store, flow, step).map(({ id }) => [step, id] as const)));
}

/**
 * Returns a function that reads the list's first page, or the page after a flow. A flow that has ended stays as it is
 * and is not read again.
 */
export function openFlowList(store: Store, after?: string): () => Promise<FlowList> {
  let known = new Map<string, Flow>();
  let more = false;
  const now = async (id: string): Promise<Flow | null> => {
    const before = known.get(id);
    if (before !== undefined) return before.status === 'in_progress' ? await refreshFlow(store, before) : before;
    const flow = await readFlow(store, id);
    return flow === null ? null : outlineOf(flow);
  };
  const read = async (): Promise<Trouble> => {
    const page = await listFlowIds(store, FLOWS_SHOWN, after);
    const flows = await Promise.all(page.ids.map(now));
    known = new Map(flows.flatMap((flow) => (flow === null ? [] : [[flow.id, flow]])));
    more = page.more;
    return null;
  };
  const keepReading = withTrouble(store, read);
  return async () => {
    const trouble = await keepReading();
    return { at: Date.now(), trouble, flows: [...known.values()], more };
  };
}

/** That Redis is away is the store's to log; anything else is said once, not every second. */
function withTrouble(store: Store, read: () => Promise<Trouble>): () => Promise<Trouble> {
  let told = false;
  return async () => {
    try {
      const trouble = await store.liveness.guard(read);
      told = false;
      return trouble;
    } catch (error) {
      if (!told && !(error instanceof ShedError)) store.log.error({ err: error }, 'A flow could not be read');
      told = true;
      return 'unreachable';
    }
  };
}
