/**
 * What a flow's own jobs used, read once each when they have ended. Only the first jobs of it are looked at, so that a
 * flow of many thousands costs no more to watch. What it took over from the flow it does again was paid there.
 */
import { type Flow, type JobUse, type ModelTokens, readUse, type Store, stepJobs } from '@millrace/queue';
import { FLOW_JOBS_PRICED } from '../bounds.ts';
import { expectedUsd, spendOf } from '../spend.ts';
import type { FlowView } from '../views/flows.ts';

export type FlowSpend = Pick<FlowView, 'spend' | 'counted' | 'expected_usd'>;

/**
 * Returns a function that reads what is new and tells the whole.
 * Its second argument: how many jobs of the flow have ended. As long as that is the same, nothing is new.
 */
export function openFlowSpend(store: Store): (flow: Flow, ended: number) => Promise<FlowSpend> {
  const over = new Map<string, JobUse>();
  let endedBefore = -1;
  return async (flow, ended) => {
    const own = Object.entries(flow.steps).map(([step, state]) => ({
      step,
      jobs:
        state.madeBy === flow.id ? stepJobs(store, flow, step).filter((_, at) => state.kept?.[at] === undefined) : [],
    }));
    const all = own.flatMap(({ jobs }) => jobs);
    const looked = all.slice(0, FLOW_JOBS_PRICED);
    const open = ended === endedBefore ? [] : looked.filter(({ id }) => !over.has(id));
    for (const [index, use] of (open.length === 0 ? [] : await readUse(store, open)).entries()) {
      const id = open[index]?.id;
      if (use.over && id !== undefined) over.set(id, use);
    }
    // Only now: what could not be read is read the next time.
    endedBefore = ended;
    const { prices } = store.config;
    const sumOf = (ids: readonly { id: string }[]) =>
      spendOf(...summed(ids.flatMap(({ id }) => over.get(id) ?? [])), prices);
    const waits = Object.values(flow.steps).some(({ status }) => status === 'waiting');
    const parts = own
      .filter(({ jobs }) => jobs.length > 0)
      .map(({ jobs }) => {
        const ended = jobs.filter(({ id }) => over.has(id)).length;
        return expectedUsd(sumOf(jobs), ended, jobs.length);
      });
    const known = flow.status === 'in_progress' && !waits && all.length === looked.length && !parts.includes(null);
    return {
      spend: sumOf(looked),
      counted: { jobs: looked.length, of: all.length },
      expected_usd: known ? parts.reduce<number>((sum, part) => sum + (part ?? 0), 0) : null,
    };
  };
}

function summed(uses: readonly JobUse[]): [ModelTokens[], Record<string, number>] {
  const models = new Map<string, ModelTokens>();
  const calls: Record<string, number> = {};
  for (const { model: named, usage, toolCalls } of uses) {
    for (const [type, count] of Object.entries(toolCalls)) calls[type] = (calls[type] ?? 0) + count;
    if (usage === null || usage.total_tokens === 0) continue;
    const model = named ?? '';
    const sum = models.get(model) ?? { model, input: 0, cached: 0, output: 0 };
    sum.input += usage.input_tokens;
    sum.cached += usage.input_tokens_details.cached_tokens;
    sum.output += usage.output_tokens;
    models.set(model, sum);
  }
  return [[...models.values()], calls];
}
