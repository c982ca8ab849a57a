/** What a step came to, for the templates that name it: only the fields they name are read, and only those kept. */
import { type Answer, type StepState, TemplateError } from '@millrace/core';
import { readJson } from '../job-record.ts';
import type { Store, StoreQueue } from '../store.ts';
import type { Flow } from './flow-record.ts';
import { jobStatuses } from './job-fields.ts';
import { stepJobs } from './step-jobs.ts';

/** What a step may gather, and what its jobs may hold together, as JSON: it must fit in one request at least. */
export const STEP_BYTES = 256 * 1024 ** 2;
/** An answer may take megabytes. */
const READ_AT_ONCE = 200;
const SAID = ['output_text', 'output_parsed'] as const;

/**
 * Of a list, lists: of those of its jobs that were answered.
 * @throws TemplateError where jobs of a completed step are gone, or they said too much
 */
export async function outputOf(
  store: Store,
  flow: Flow,
  step: string,
  fields: ReadonlySet<string>,
): Promise<Record<string, unknown>> {
  const { status, total, each } = flow.steps[step] as StepState;
  if (fields.size === 1 && fields.has('status')) return { status };
  const places = stepJobs(store, flow, step);
  const statuses = await jobStatuses(store, places);
  const answered = places.filter((_, index) => statuses[index] === 'completed');
  if (status === 'completed' && answered.length < total) {
    throw new TemplateError(`${total - answered.length} of ${total} jobs of step '${step}' are gone`);
  }
  const output: Record<string, unknown[]> = { id: answered.map(({ id }) => id) };
  for (const field of SAID) output[field] = [];
  const named = SAID.filter((field) => fields.has(field));
  if (named.length > 0) await readSaid(store, step, answered, named, output);
  if (each) return { ...output, status };
  return { ...Object.fromEntries(Object.entries(output).map(([field, [first = null]]) => [field, first])), status };
}

async function readSaid(
  store: Store,
  step: string,
  places: readonly { queue: StoreQueue; id: string }[],
  named: readonly (typeof SAID)[number][],
  output: Record<string, unknown[]>,
): Promise<void> {
  let bytes = 0;
  for (let from = 0; from < places.length; from += READ_AT_ONCE) {
    const pipeline = store.redis.pipeline();
    for (const { queue, id } of places.slice(from, from + READ_AT_ONCE)) pipeline.get(queue.keys.result(id));
    for (const [error, result] of (await pipeline.exec()) ?? []) {
      if (error) throw error;
      const answer = readJson<Answer>(result as string | null);
      for (const field of named) {
        const value = answer?.[field] ?? null;
        bytes += JSON.stringify(value).length;
        output[field]?.push(value);
      }
      if (bytes > STEP_BYTES)
        throw new TemplateError(`the jobs of step '${step}' said more than ${STEP_BYTES} bytes together`);
    }
  }
}
