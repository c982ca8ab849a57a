/** Flows as they go on: the newest of them, and one with its steps. Read while somebody watches only. */
import {
  countSteps,
  type Flow,
  isFlowId,
  listFlowIds,
  outlineOf,
  readFlow,
  readMade,
  refreshFlow,
  type Store,
  stepJobs,
} from '@millrace/queue';
import { FLOWS_SHOWN, POLL_MS } from '../bounds.ts';
import { polled, type Source, settled } from '../live.ts';
import { paceOf, type Sample, sampled } from '../pace.ts';
import type { FlowsView, FlowView, StepCard } from '../views/flows.ts';
import { openFlowSpend } from './flow-spend.ts';
import { flowHead, flowRow, stepCard } from './flow-view.ts';
import { stepLayers } from './step-layers.ts';

/** Returns a function that reads the newest flows, or those after one. One that has ended is not read again. */
export function openFlowList(store: Store, after?: string): () => Promise<FlowsView> {
  let known = new Map<string, Flow>();
  const now = async (id: string): Promise<Flow | null> => {
    const before = known.get(id);
    if (before !== undefined) return before.status === 'in_progress' ? await refreshFlow(store, before) : before;
    const flow = await readFlow(store, id);
    return flow === null ? null : outlineOf(flow);
  };
  return () =>
    store.liveness.guard(async () => {
      const { ids, more } = await listFlowIds(store, FLOWS_SHOWN, after);
      const flows = (await Promise.all(ids.map(now))).filter((flow) => flow !== null);
      known = new Map(flows.map((flow) => [flow.id, flow]));
      return { flows: flows.map(flowRow), more };
    });
}

export function flowsTopic(store: Store): Source {
  return (tell) => polled(openFlowList(store), POLL_MS, () => undefined)(tell);
}

/** null: that is no flow's id. One that is gone is told as such: its page may be open yet, and connect again. */
export async function flowTopic(store: Store, id: string): Promise<Source | null> {
  const first = await store.liveness.guard(() => readFlow(store, id));
  if (first === null) return isFlowId(id) ? settled({ gone: true, stale: false }) : null;
  let outline = outlineOf(first);
  const layers = stepLayers(outline.definition.steps);
  const spendOf = openFlowSpend(store);
  const paceOfSteps = openPaces(store);
  let last: Omit<FlowView, 'gone' | 'stale'> | null = null;

  const read = async (): Promise<object> => {
    const flow = await refreshFlow(store, outline);
    if (flow === null) return { ...last, gone: true, stale: false };
    outline = flow;
    const counts = await countSteps(store, flow);
    const doneAt = await paceOfSteps(flow, counts);
    const onlyJob = (step: string): string | null =>
      flow.steps[step]?.total === 1 ? (stepJobs(store, flow, step)[0]?.id ?? null) : null;
    const cards = Object.keys(flow.steps).map((step) => {
      const now = { counts: counts.get(step), doneAt: doneAt.get(step) ?? null, job: onlyJob(step) };
      return [step, stepCard(flow, step, now)] as const;
    });
    last = {
      flow: flowHead(flow, doneAt),
      layers,
      steps: Object.fromEntries(cards),
      ...(await spendOf(flow, endedOf(cards))),
    };
    return { ...last, gone: false, stale: false };
  };
  return polled(
    () => store.liveness.guard(read).catch(() => ({ ...last, gone: false, stale: true })),
    POLL_MS,
    () => undefined,
  );
}

const endedOf = (cards: readonly (readonly [string, StepCard])[]): number =>
  cards.reduce((sum, [, { ended }]) => sum + ended, 0);

/** Returns a function that tells when each step that goes on will be over; null of one of which it cannot be told. */
function openPaces(store: Store) {
  const began = new Map<string, number>();
  const samples = new Map<string, Sample[]>();
  return async (flow: Flow, counts: ReadonlyMap<string, { ended: number }>): Promise<Map<string, number | null>> => {
    const doneAt = new Map<string, number | null>();
    if (flow.status !== 'in_progress') return doneAt;
    for (const [step, { ended }] of counts) {
      const [place] = began.has(step) ? [] : stepJobs(store, flow, step);
      const [made] = place === undefined ? [] : await readMade(store, [place]);
      if (made != null) began.set(step, made);
      const kept = sampled(samples.get(step) ?? [], { at: Date.now(), ended });
      samples.set(step, kept);
      doneAt.set(step, paceOf(kept, began.get(step) ?? null, flow.steps[step]?.total ?? 0)?.doneAt ?? null);
    }
    return doneAt;
  };
}
