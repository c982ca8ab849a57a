/** /v1/flows: named steps that feed one another, and one view of the whole. */
import {
  ConflictError,
  checkedKey,
  type FlowStep,
  InvalidRequestError,
  NotFoundError,
  parseFlow,
  type StepState,
} from '@millrace/core';
import {
  cancelFlow,
  createFlow,
  type Flow,
  listFlows,
  noSuchFlow,
  readFlow,
  readMany,
  retryFlow,
  type Store,
  stepJobs,
} from '@millrace/queue';
import { type Request, Router } from 'express';
import { callerName, keyName } from './authenticate.ts';
import { jsonBody } from './read-body.ts';

const PAGE_DEFAULT = 20;
const PAGE_MOST = 100;
/** Of a step's jobs, so many are listed; the counts are of all. */
const JOBS_LISTED = 100;

export function flowsRoutes(store: Store): Router {
  const routes = Router();
  const guard = store.liveness.guard;

  routes.post('/', jsonBody, async (request, response) => {
    const definition = parseFlow(store.config, request.body);
    const { idempotency_key } = request.body as { idempotency_key?: string };
    const key = idempotency_key ?? checkedKey(request.get('idempotency-key'));
    const idempotency = key === undefined ? null : { caller: callerName(request), key };
    const flow = await guard(() => createFlow(store, definition, idempotency, keyName(request)));
    response.status(202).json(await flowView(store, flow));
  });

  routes.get('/', async (request, response) => {
    const { after } = request.query;
    if (after !== undefined && typeof after !== 'string') {
      throw new InvalidRequestError("'after' must be the id of a flow.", 'after', 'invalid_value');
    }
    const { flows, more } = await guard(() => listFlows(store, pageSize(request), after));
    response.json({
      object: 'list',
      data: flows.map((flow) => flowSummary(flow)),
      first_id: flows[0]?.id ?? null,
      last_id: flows.at(-1)?.id ?? null,
      has_more: more,
    });
  });

  routes.get('/:id', async (request, response) => {
    const flow = await guard(() => readFlow(store, request.params.id));
    if (flow === null) throw noSuchFlow(request.params.id);
    response.json(await guard(() => flowView(store, flow)));
  });

  routes.get('/:id/steps/:step/jobs', async (request, response) => {
    const { id, step } = request.params;
    const flow = await guard(() => readFlow(store, id));
    if (flow === null) throw noSuchFlow(id);
    if (!Object.hasOwn(flow.steps, step)) {
      throw new NotFoundError(`The flow ${id} has no step '${step.slice(0, 80)}'.`, 'step');
    }
    const places = stepJobs(store, flow, step);
    const { after } = request.query;
    const from = after === undefined ? 0 : places.findIndex((place) => place.id === after) + 1;
    if (after !== undefined && from === 0) {
      throw new InvalidRequestError("'after' must be the id of a job of the step.", 'after', 'invalid_value');
    }
    const page = places.slice(from, from + pageSize(request));
    response.json({
      object: 'list',
      data: await guard(() => outputsOf(store, page)),
      first_id: page[0]?.id ?? null,
      last_id: page.at(-1)?.id ?? null,
      has_more: from + page.length < places.length,
    });
  });

  routes.post('/:id/cancel', async (request, response) => {
    const flow = await guard(() => cancelFlow(store, request.params.id));
    if (flow.status !== 'cancelled') {
      throw new ConflictError(`The flow ${flow.id} is ${flow.status} already.`, 'id', 'flow_finished');
    }
    response.json(await flowView(store, flow));
  });

  routes.post('/:id/retry', async (request, response) => {
    const flow = await guard(() => retryFlow(store, request.params.id, keyName(request)));
    response.status(202).json(await flowView(store, flow));
  });
  return routes;
}

/** @throws InvalidRequestError */
function pageSize(request: Request): number {
  const { limit } = request.query;
  const size = limit === undefined ? PAGE_DEFAULT : Number(limit);
  if (Number.isInteger(size) && size >= 1 && size <= PAGE_MOST) return size;
  throw new InvalidRequestError(`'limit' must be a whole number from 1 to ${PAGE_MOST}.`, 'limit', 'invalid_value');
}

function flowSummary(flow: Flow): Record<string, unknown> {
  const { definition } = flow;
  return {
    id: flow.id,
    object: 'flow',
    name: definition.name,
    status: flow.status,
    created_at: flow.created_at / 1000,
    finished_at: flow.finished_at === null ? null : flow.finished_at / 1000,
    metadata: definition.metadata,
    key: flow.key,
    retry_of: flow.retry_of,
    retried_in: flow.retried_in,
    steps: Object.fromEntries(
      Object.entries(flow.steps).map(([name, state]) => [name, stepSummary(definition.steps[name] as FlowStep, state)]),
    ),
  };
}

function stepSummary({ needs, onFailure, job }: FlowStep, state: StepState): Record<string, unknown> {
  const { status, total, completed, failed, each, error, usage } = state;
  return {
    status,
    type: job['type'],
    needs,
    for_each: each,
    on_failure: onFailure,
    total,
    completed,
    failed,
    error,
    usage,
  };
}

/** The whole of it: each step with its jobs, and what they said. */
async function flowView(store: Store, flow: Flow): Promise<Record<string, unknown>> {
  const steps: Record<string, unknown> = {};
  for (const [name, state] of Object.entries(flow.steps)) {
    const outputs = await outputsOf(store, stepJobs(store, flow, name).slice(0, JOBS_LISTED));
    // Counted as they are now, where the step goes on.
    const live =
      state.status === 'in_progress' && state.total <= JOBS_LISTED
        ? { completed: outputs.filter(({ status }) => status === 'completed').length }
        : {};
    steps[name] = { ...stepSummary(flow.definition.steps[name] as FlowStep, state), ...live, jobs: outputs };
  }
  return { ...flowSummary(flow), input: flow.definition.input, steps };
}

async function outputsOf(store: Store, places: ReturnType<typeof stepJobs>) {
  return (await readMany(store, places, true)).map(({ job, answer }) => ({
    id: job.id,
    status: job.status,
    output_text: answer?.output_text ?? null,
    output_parsed: answer?.output_parsed ?? null,
    error: job.error,
    usage: job.usage,
  }));
}
