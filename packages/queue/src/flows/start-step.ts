/** A step's jobs: its templates filled in from what the steps before it came to, each stored under an id of its own place. */
import {
  canonical,
  type FlowStep,
  fillTemplates,
  InvalidRequestError,
  type JobError,
  jobOfRequest,
  MAX_ITEMS,
  type NewJob,
  type StepState,
  TemplateError,
  templatesIn,
  valueAt,
} from '@millrace/core';
import { flowKeys } from '../keys.ts';
import { type JobWithAnswer, readMany } from '../read.ts';
import type { Store, StoreQueue } from '../store.ts';
import { submit } from '../submit.ts';
import { FLOW_KEPT_MS, type Flow, readFlow, stepJobId } from './flow-record.ts';
import { isOver, jobStatuses } from './job-fields.ts';

/** What all of a step's jobs may hold together, as JSON: what is gathered must fit in one request at least. */
const STEP_BYTES = 256 * 1024 ** 2;
const REQUEST_BYTES = 16 * 1024 ** 2;

/** Where a step's jobs are, in the order of its list. */
export function stepJobs(store: Store, flow: Flow, step: string): { queue: StoreQueue; id: string }[] {
  const { total, madeBy, kept = {} } = flow.steps[step] as StepState;
  const queue = store.queues.get(queueNameOf(store, flow.definition.steps[step] as FlowStep));
  if (queue === undefined) return [];
  const idOf = (index: number): string => kept[index] ?? stepJobId(madeBy, step, index, queue.tag);
  return Array.from({ length: total }, (_, index) => ({ queue, id: idOf(index) }));
}

function queueNameOf(store: Store, { job }: FlowStep): string {
  if (typeof job['queue'] === 'string') return job['queue'];
  const type = String(job['type']);
  return store.queues.has(type) ? type : ([...store.queues.keys()][0] ?? '');
}

/**
 * @returns the step as it is then: in progress, or over already
 * @throws ShedError where a queue has no room
 */
export async function startStep(store: Store, flow: Flow, step: string): Promise<StepState> {
  const state: StepState = { ...(flow.steps[step] as StepState), madeBy: flow.id };
  let jobs: NewJob[];
  try {
    jobs = await jobsOf(store, flow, step);
  } catch (error) {
    const fault = faultOf(error);
    if (fault === null) throw error;
    return { ...state, status: 'failed', error: fault };
  }
  if (jobs.length === 0) return { ...state, status: 'completed' };
  const queue = store.queues.get(jobs[0]?.queue ?? '') as StoreQueue;
  const kept = await keptOf(store, flow, step, jobs);
  const placed = jobs.flatMap((job, index) => {
    if (kept[index] !== undefined) return [];
    return [{ ...job, id: stepJobId(flow.id, step, index, queue.tag), flow: flow.id, idempotency: null }];
  });
  await place(store, flow, step, queue, placed);
  return { ...state, status: 'in_progress', total: jobs.length, kept };
}

/**
 * Stores a step's jobs. Those stored before, when there was no room for all, take none of it now; and those that have
 * ended are not waited for again.
 */
async function place(
  store: Store,
  flow: Flow,
  step: string,
  queue: StoreQueue,
  jobs: readonly (NewJob & { id: string })[],
): Promise<void> {
  const statuses = await jobStatuses(
    store,
    jobs.map(({ id }) => ({ queue, id })),
  );
  const open = jobs.filter((_, index) => !isOver(statuses[index]));
  const missing = jobs.filter((_, index) => statuses[index] === null);
  const key = flowKeys(flow.id).open(step);
  if (open.length > 0) {
    const added = await store.redis
      .multi()
      .sadd(key, ...open.map(({ id }) => id))
      .pexpire(key, FLOW_KEPT_MS)
      .exec();
    for (const [error] of added ?? []) if (error) throw error;
  }
  for (const reply of await submit(store, missing)) if (reply instanceof Error) throw reply;
}

/** Whether any job of a flow was stored. */
export async function anyStored(store: Store, flow: Flow): Promise<boolean> {
  for (const [step, { total }] of Object.entries(flow.steps)) {
    if (total > 0) return true;
    const ids = await store.redis.smembers(flowKeys(flow.id).open(step));
    const queue = store.queues.get(queueNameOf(store, flow.definition.steps[step] as FlowStep));
    if (queue === undefined) continue;
    const statuses = await jobStatuses(
      store,
      ids.map((id) => ({ queue, id })),
    );
    if (statuses.some((found) => found !== null)) return true;
  }
  return false;
}

/** Where a flow is done again: of a failed step's jobs, those that were completed and would be asked the same. */
async function keptOf(
  store: Store,
  flow: Flow,
  step: string,
  jobs: readonly NewJob[],
): Promise<Record<number, string>> {
  const before = flow.retry_of === null ? null : await readFlow(store, flow.retry_of);
  if (before === null) return {};
  const places = stepJobs(store, before, step);
  const found = (await readMany(store, places, false)).filter(({ job }) => job.status === 'completed');
  const completed = new Map(found.map(({ job }) => [job.id, job]));
  const kept: Record<number, string> = {};
  for (const [index, { id }] of places.entries()) {
    const [job, asked] = [completed.get(id), jobs[index]];
    if (job === undefined || asked === undefined || job.model !== asked.model) continue;
    if (canonical(job.body) === canonical(asked.body)) kept[index] = id;
  }
  return kept;
}

/** What is wrong with the step itself, and will be at every try. */
function faultOf(error: unknown): JobError | null {
  if (error instanceof TemplateError) return { code: 'template_error', message: error.message };
  if (error instanceof InvalidRequestError)
    return { code: error.code ?? 'invalid_request', message: error.message, param: error.param };
  // What the language throws is about what is filled in (texts too long together, say); all else is Redis's.
  if (!(error instanceof RangeError || error instanceof TypeError || error instanceof SyntaxError)) return null;
  return { code: 'step_error', message: error.message };
}

async function jobsOf(store: Store, flow: Flow, step: string): Promise<NewJob[]> {
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
    return jobOfRequest(store.config, body, 'flow');
  };
  if (forEach === undefined) return [checked(fill({}))];
  const items = fillTemplates(forEach, ([root = '', ...rest]) => read(root, rest));
  if (!Array.isArray(items)) throw new TemplateError(`for_each: ${String(forEach).slice(0, 200)} is no list`);
  if (items.length > MAX_ITEMS)
    throw new TemplateError(`for_each: ${items.length} items, and at most ${MAX_ITEMS} can be`);
  let bytes = 0;
  return items.map((item, index) => {
    const made = checked(fill({ item, index }));
    bytes += JSON.stringify(made.body).length;
    if (bytes > STEP_BYTES) throw new TemplateError(`the step's requests take more than ${STEP_BYTES} bytes together`);
    return made;
  });
}

function checked(job: NewJob): NewJob {
  if (JSON.stringify(job.body).length <= REQUEST_BYTES) return job;
  throw new TemplateError(`the request takes more than ${REQUEST_BYTES} bytes with what is filled in`);
}

type Read = (root: string, rest: string[]) => unknown;

/** What the templates name, read once. */
async function readSteps(store: Store, flow: Flow, named: readonly string[][]): Promise<Read> {
  const steps = new Set(named.flatMap(([root, step]) => (root === 'steps' && step !== undefined ? [step] : [])));
  const outputs = new Map<string, Record<string, unknown>>();
  for (const step of steps) outputs.set(step, await outputOf(store, flow, step));
  return (root, rest) => {
    if (root === 'input') return valueAt(flow.definition.input, rest, 'input');
    const [step = '', field = '', ...path] = rest;
    const value = outputs.get(step)?.[field];
    // A step that failed and may: what it lacks is null, however deep one looks.
    if (value == null && flow.steps[step]?.status !== 'completed') return null;
    return valueAt(value ?? null, path, `steps.${step}.${field}`);
  };
}

/** What a step came to; of a list, of those of its jobs that were answered. */
async function outputOf(store: Store, flow: Flow, step: string): Promise<Record<string, unknown>> {
  const state = flow.steps[step] as StepState;
  const found = await readMany(store, stepJobs(store, flow, step), true);
  const answered = found.filter(({ job }) => job.status === 'completed');
  if (!state.each) return { ...fieldsOf(answered[0]), status: state.status };
  const lists = answered.map(fieldsOf);
  const list = (field: string) => lists.map((fields) => fields[field]);
  return {
    ...{ id: list('id'), output_text: list('output_text'), output_parsed: list('output_parsed') },
    status: state.status,
  };
}

function fieldsOf(found: JobWithAnswer | undefined): Record<string, unknown> {
  if (found === undefined) return { id: null, output_text: null, output_parsed: null };
  const { job, answer } = found;
  return { id: job.id, output_text: answer?.output_text ?? null, output_parsed: answer?.output_parsed ?? null };
}
