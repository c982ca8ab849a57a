/** A step's jobs: its templates filled in from what the steps before it came to. */
import { setImmediate } from 'node:timers/promises';
import {
  type FlowStep,
  fillTemplates,
  jobOfRequest,
  MAX_ITEMS,
  type NewJob,
  TemplateError,
  templatesIn,
  valueAt,
} from '@millrace/core';
import type { Store } from '../store.ts';
import type { Flow } from './flow-record.ts';
import { outputOf, STEP_BYTES } from './step-output.ts';

const REQUEST_BYTES = 16 * 1024 ** 2;
/** So many are made before others have their turn: heartbeats, and requests to this process. */
const MADE_AT_ONCE = 100;

/** @throws TemplateError or InvalidRequestError: so it will be at every try. Anything that Redis says. */
export async function makeJobs(store: Store, flow: Flow, step: string): Promise<NewJob[]> {
  const { job, forEach } = flow.definition.steps[step] as FlowStep;
  const read = await readSteps(
    store,
    flow,
    [...templatesIn(job), ...templatesIn(forEach)].map(({ parts }) => parts),
  );
  const fill = (each: { item?: unknown; index?: number }): NewJob => {
    const body = fillTemplates(job, ([root = '', ...rest]) => {
      if (root === 'item' || root === 'index') return valueAt(each[root], rest, root);
      return read(root, rest);
    });
    return jobOfRequest(store.config, body, flow.key);
  };
  if (forEach === undefined) return [checked(fill({}))];
  const items = fillTemplates(forEach, ([root = '', ...rest]) => read(root, rest));
  if (!Array.isArray(items)) throw new TemplateError(`for_each: ${String(forEach).slice(0, 200)} is no list`);
  if (items.length > MAX_ITEMS)
    throw new TemplateError(`for_each: ${items.length} items, and at most ${MAX_ITEMS} can be`);
  let bytes = 0;
  const jobs: NewJob[] = [];
  for (const [index, item] of items.entries()) {
    if (index % MADE_AT_ONCE === MADE_AT_ONCE - 1) await setImmediate();
    const made = checked(fill({ item, index }));
    bytes += JSON.stringify(made.body).length;
    if (bytes > STEP_BYTES) throw new TemplateError(`the step's requests take more than ${STEP_BYTES} bytes together`);
    jobs.push(made);
  }
  return jobs;
}

function checked(job: NewJob): NewJob {
  if (JSON.stringify(job.body).length <= REQUEST_BYTES) return job;
  throw new TemplateError(`the request takes more than ${REQUEST_BYTES} bytes with what is filled in`);
}

type Read = (root: string, rest: string[]) => unknown;

/** What the templates name, read once. */
async function readSteps(store: Store, flow: Flow, named: readonly string[][]): Promise<Read> {
  const fields = new Map<string, Set<string>>();
  for (const [root, step = '', field = ''] of named) {
    if (root === 'steps') fields.set(step, (fields.get(step) ?? new Set()).add(field));
  }
  const outputs = new Map<string, Record<string, unknown>>();
  for (const [step, wanted] of fields) outputs.set(step, await outputOf(store, flow, step, wanted));
  return (root, rest) => {
    if (root === 'input') return valueAt(flow.definition.input, rest, 'input');
    const [step = '', field = '', ...path] = rest;
    const value = outputs.get(step)?.[field];
    // A step that failed and may: what it lacks is null, however deep one looks.
    if (value == null && flow.steps[step]?.status !== 'completed') return null;
    return valueAt(value ?? null, path, `steps.${step}.${field}`);
  };
}
