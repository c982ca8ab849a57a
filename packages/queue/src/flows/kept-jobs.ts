/** Where a flow is done again: what of a step needs not be. */
import { canonical, type NewJob } from '@millrace/core';
import { readJson } from '../job-record.ts';
import type { Store } from '../store.ts';
import { type Flow, readFlow } from './flow-record.ts';
import { readFields } from './job-fields.ts';
import { stepJobs } from './step-jobs.ts';

/** Of a failed step's jobs, by their places, those that were completed and would be asked the same. */
export async function keptOf(
  store: Store,
  flow: Flow,
  step: string,
  jobs: readonly NewJob[],
): Promise<Record<number, string>> {
  const before = flow.retry_of === null ? null : await readFlow(store, flow.retry_of);
  if (before === null) return {};
  const places = stepJobs(store, before, step).slice(0, jobs.length);
  const kept: Record<number, string> = {};
  let index = 0;
  for await (const [status, model, body] of readFields(store, places, ['status', 'model', 'body'])) {
    const [place, asked] = [places[index], jobs[index]];
    if (place !== undefined && asked !== undefined && status === 'completed' && model === asked.model) {
      if (canonical(readJson(body)) === canonical(asked.body)) kept[index] = place.id;
    }
    index++;
  }
  return kept;
}
