/** A flow as it is kept: its definition, and how far each of its steps is. Any process may read and write it. */
import { createHash, randomBytes } from 'node:crypto';
import { type FlowDefinition, type FlowStatus, InvalidRequestError, type StepState } from '@millrace/core';
import { readJson } from '../job-record.ts';
import { FLOWS_KEY, flowKeys, OPEN_FLOWS_KEY } from '../keys.ts';
import type { Store } from '../store.ts';

export const FLOW_KEPT_MS = 30 * 86_400_000;
const FLOWS_MOST = 10_000;

export interface Flow {
  id: string;
  status: FlowStatus;
  created_at: number;
  finished_at: number | null;
  definition: FlowDefinition;
  steps: Record<string, StepState>;
  /** The name of the API key that made it, whose its jobs are; null: nobody's. */
  key: string | null;
  retry_of: string | null;
  /** The flow in which it was last done again. */
  retried_in: string | null;
}

export function newFlowId(): string {
  return `flow_${randomBytes(16).toString('hex')}`;
}

/** Whether there may be, or may have been, a flow of that id. */
export function isFlowId(id: string): boolean {
  return /^flow_[0-9a-f]{32}$/.test(id);
}

/** The id of a step's job: the same whenever it is made, so that what is made twice is one job. */
export function stepJobId(flow: string, step: string, index: number, tag: string): string {
  const own = createHash('sha256').update(`${flow} ${step} ${index}`).digest('hex');
  return `resp_${tag}${own.slice(0, 40)}`;
}

/** A step as it was begun, written once, and as it is over: whoever comes late with the first takes nothing back. */
const BEGUN = 'begun:';
const STEP = 'step:';

/** One round trip; null when there is no such flow (any more). */
export async function readFlow(store: Store, id: string): Promise<Flow | null> {
  if (!/^flow_[0-9a-f]{32}$/.test(id)) return null;
  const record = await store.redis.hgetall(flowKeys(id).flow);
  const definition = readJson<FlowDefinition>(record.definition);
  return definition === null ? null : flowOf(id, definition, record);
}

/** The same flow as it is now; its definition stays as it is, and is not read again. One round trip. */
export async function refreshFlow(store: Store, { id, definition }: Flow): Promise<Flow | null> {
  const fields = [
    'created_at',
    'ended',
    'key',
    'retry_of',
    'retried_in',
    ...Object.keys(definition.steps).flatMap((step) => [`${BEGUN}${step}`, `${STEP}${step}`]),
  ];
  const values = await store.redis.hmget(flowKeys(id).flow, ...fields);
  if (values[0] === null) return null;
  const record = fields.flatMap((field, index) => (values[index] == null ? [] : [[field, values[index]]]));
  return flowOf(id, definition, Object.fromEntries(record) as Record<string, string>);
}

/** What of a flow is small: its steps without what they ask, and no input. For who keeps it in memory. */
export function outlineOf(flow: Flow): Flow {
  const steps = Object.entries(flow.definition.steps).map(([name, { needs, onFailure, forEach, job }]) => {
    const { type, queue } = job;
    return [name, { needs, onFailure, ...(forEach === undefined ? {} : { forEach: [] }), job: { type, queue } }];
  });
  return { ...flow, definition: { ...flow.definition, input: null, steps: Object.fromEntries(steps) } };
}

function flowOf(id: string, definition: FlowDefinition, record: Record<string, string>): Flow {
  const steps: Record<string, StepState> = {};
  for (const step of Object.keys(definition.steps)) {
    steps[step] =
      readJson<StepState>(record[`${STEP}${step}`]) ??
      readJson<StepState>(record[`${BEGUN}${step}`]) ??
      waitingStep(id, definition, step);
  }
  const [status, at] = (record.ended ?? '').split(' ');
  return {
    id,
    status: status ? (status as FlowStatus) : 'in_progress',
    created_at: Number(record.created_at),
    finished_at: at ? Number(at) : null,
    definition,
    steps,
    key: record.key ?? null,
    retry_of: record.retry_of ?? null,
    retried_in: record.retried_in ?? null,
  };
}

function waitingStep(id: string, { steps }: FlowDefinition, step: string): StepState {
  const each = steps[step]?.forEach !== undefined;
  const counts = { total: 0, completed: 0, failed: 0 };
  return { status: 'waiting', ...counts, each, error: null, usage: null, madeBy: id };
}

/** @returns false where a flow of this id is there already */
export async function writeFlow(store: Store, flow: Flow): Promise<boolean> {
  const { flow: key } = flowKeys(flow.id);
  const fields = [
    ['definition', JSON.stringify(flow.definition)],
    ['created_at', String(flow.created_at)],
    ...Object.entries(flow.steps).map(([step, state]) => [`${STEP}${step}`, JSON.stringify(state)]),
    ...(flow.key === null ? [] : [['key', flow.key]]),
    ...(flow.retry_of === null ? [] : [['retry_of', flow.retry_of]]),
  ] as [string, string][];
  // First: whatever becomes of this process, the flow is looked after.
  const opened = await store.redis.zadd(OPEN_FLOWS_KEY, 'NX', Date.now(), flow.id);
  const transaction = store.redis.multi();
  for (const [field, value] of fields) transaction.hsetnx(key, field, value);
  const [made] = (await transaction.pexpire(key, FLOW_KEPT_MS).exec()) ?? [];
  await store.redis
    .pipeline()
    .zadd(FLOWS_KEY, flow.created_at, flow.id)
    .zremrangebyscore(FLOWS_KEY, '-inf', Date.now() - FLOW_KEPT_MS)
    .zremrangebyrank(FLOWS_KEY, 0, -FLOWS_MOST - 1)
    .exec();
  if (made?.[1] === 1) return true;
  // Sent again when it had ended and been told: there is nothing to look after.
  if (opened === 1 && (await hasEnded(store, flow.id)) !== null) await store.redis.zrem(OPEN_FLOWS_KEY, flow.id);
  return false;
}

export async function writeStep(store: Store, id: string, step: string, state: StepState): Promise<void> {
  const { flow, open } = flowKeys(id);
  const field = `${state.status === 'in_progress' ? BEGUN : STEP}${step}`;
  const replies = await store.redis
    .pipeline()
    [state.status === 'in_progress' ? 'hsetnx' : 'hset'](flow, field, JSON.stringify(state))
    .pexpire(flow, FLOW_KEPT_MS)
    .pexpire(open(step), FLOW_KEPT_MS)
    .zadd(OPEN_FLOWS_KEY, Date.now(), id)
    .exec();
  for (const [error] of replies ?? []) if (error) throw error;
}

/** Has a flow name the one in which it is done again. */
export async function noteRetry(store: Store, id: string, again: string): Promise<void> {
  await store.redis.hset(flowKeys(id).flow, 'retried_in', again);
}

/** A flow ends once: whoever says so first is right. @returns whether this was the first */
export async function endFlow(store: Store, id: string, status: FlowStatus): Promise<boolean> {
  return (await store.redis.hsetnx(flowKeys(id).flow, 'ended', `${status} ${Date.now()}`)) === 1;
}

/** The steps of a flow that are in progress, and nothing else of it; null: it has ended, or there is none. */
export async function openSteps(store: Store, id: string): Promise<string[] | null> {
  const fields = new Set(await store.redis.hkeys(flowKeys(id).flow));
  if (!fields.has('definition') || fields.has('ended')) return null;
  const begun = [...fields].filter((field) => field.startsWith(BEGUN)).map((field) => field.slice(BEGUN.length));
  return begun.filter((step) => !fields.has(`${STEP}${step}`));
}

/** What it has ended as, one that is gone as cancelled; null: it goes on. */
export async function hasEnded(store: Store, id: string): Promise<Exclude<FlowStatus, 'in_progress'> | null> {
  const [ended, createdAt] = await store.redis.hmget(flowKeys(id).flow, 'ended', 'created_at');
  if (createdAt == null) return 'cancelled';
  return (ended?.split(' ')[0] ?? null) as Exclude<FlowStatus, 'in_progress'> | null;
}

/** One that has not ended is kept, however long it stands still. */
export async function keepFlow(store: Store, { id, definition }: Flow): Promise<void> {
  const { flow, open } = flowKeys(id);
  const pipeline = store.redis.pipeline();
  for (const key of [flow, ...Object.keys(definition.steps).map(open)]) pipeline.pexpire(key, FLOW_KEPT_MS);
  await pipeline.exec();
}

/** Forgets a flow wholly, but its jobs. */
export async function deleteFlow(store: Store, { id, definition }: Flow): Promise<void> {
  const { flow, open } = flowKeys(id);
  await store.redis.zrem(FLOWS_KEY, id);
  await store.redis.del(flow, ...Object.keys(definition.steps).map(open));
  await store.redis.zrem(OPEN_FLOWS_KEY, id);
}

/** The newest flows, newest first. */
export async function listFlows(
  store: Store,
  limit: number,
  after?: string,
): Promise<{ flows: Flow[]; more: boolean }> {
  const { ids, more } = await listFlowIds(store, limit, after);
  const flows = await Promise.all(ids.map((id) => readFlow(store, id)));
  return { flows: flows.filter((flow) => flow !== null), more };
}

/**
 * The ids of the newest flows, newest first, or of those after one.
 * @throws InvalidRequestError where that one is not there (any more)
 */
export async function listFlowIds(
  store: Store,
  limit: number,
  after?: string,
): Promise<{ ids: string[]; more: boolean }> {
  const { redis } = store;
  const rank = after === undefined ? -1 : await redis.zrevrank(FLOWS_KEY, after);
  if (rank === null) {
    const message = `There is no flow '${after?.slice(0, 80)}' to begin after (any more).`;
    throw new InvalidRequestError(message, 'after', 'invalid_value');
  }
  const ids = await redis.zrevrange(FLOWS_KEY, rank + 1, rank + 1 + limit);
  return { ids: ids.slice(0, limit), more: ids.length > limit };
}
