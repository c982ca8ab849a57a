/** Making, cancelling and doing again: what people do to a flow. */
import { createHash } from 'node:crypto';
import {
  ConflictError,
  canonical,
  type FlowDefinition,
  NotFoundError,
  ShedError,
  type StepState,
} from '@millrace/core';
import { KEPT_MS } from '../idempotency.ts';
import { idempotencyKey } from '../keys.ts';
import { translateRedisError } from '../redis-refusal.ts';
import type { Store } from '../store.ts';
import { advanceFlow } from './advance-flow.ts';
import { afterEnd } from './end-flow.ts';
import { endFlow, type Flow, newFlowId, noteRetry, readFlow, writeFlow } from './flow-record.ts';
import { withdrawFlow } from './withdraw-flow.ts';

/**
 * Stores a flow and the jobs of its first steps.
 * @param key the name of the API key of who makes it, whose its jobs are; null: nobody's
 * @throws ConflictError where the key stands for another flow; ShedError: nothing of it runs; only where it has a key, and
 * some of its jobs were stored, it goes on as room comes, and sent again it is the same flow
 */
export async function createFlow(
  store: Store,
  definition: FlowDefinition,
  idempotency: { caller: string; key: string } | null,
  key: string | null = null,
): Promise<Flow> {
  const id = await idOf(store, definition, idempotency);
  const made = await writeFlow(store, newFlow(id, definition, { key, retryOf: null }));
  return begin(store, id, made, idempotency !== null);
}

function newFlow(
  id: string,
  definition: FlowDefinition,
  { key, retryOf }: { key: string | null; retryOf: Flow | null },
): Flow {
  const done = Object.entries(retryOf?.steps ?? {}).filter(([, { status }]) => status === 'completed');
  return {
    id,
    status: 'in_progress',
    created_at: Date.now(),
    finished_at: null,
    definition,
    steps: Object.fromEntries(done) as Record<string, StepState>,
    key,
    retry_of: retryOf?.id ?? null,
    retried_in: null,
  };
}

/**
 * @param made just now: else it was accepted before, and a refusal takes nothing back
 * @param keyed it may be sent again
 */
async function begin(store: Store, id: string, made: boolean, keyed: boolean): Promise<Flow> {
  try {
    await advanceFlow(store, id).catch((error: unknown) => unlessUnderWay(store, id, error));
    await store.commit();
  } catch (error) {
    if (made && translateRedisError(error) instanceof ShedError) await withdrawOrWarn(store, id, keyed);
    throw error;
  }
  const flow = await readFlow(store, id);
  if (flow === null) throw noSuchFlow(id);
  return flow;
}

/** Where a step of it is over, only a later one has no room: the flow is accepted, and goes on as room comes. */
async function unlessUnderWay(store: Store, id: string, error: unknown): Promise<void> {
  const flow = error instanceof ShedError && error.code === 'queue_full' ? await readFlow(store, id) : null;
  const steps = Object.values(flow?.steps ?? {});
  if (!steps.some(({ madeBy, completed, failed }) => madeBy === id && completed + failed > 0)) throw error;
}

/** Where Redis is away nothing can be taken back: what was stored is not known then, and is looked after once it is there. */
async function withdrawOrWarn(store: Store, id: string, keyed: boolean): Promise<void> {
  try {
    await withdrawFlow(store, id, keyed);
  } catch (error) {
    store.log.warn({ err: error, flow: id }, 'A flow that was refused may run');
  }
}

async function idOf(
  store: Store,
  definition: FlowDefinition,
  idempotency: { caller: string; key: string } | null,
): Promise<string> {
  const id = newFlowId();
  if (idempotency === null) return id;
  const print = createHash('sha256').update(canonical(definition)).digest('hex');
  const key = idempotencyKey(idempotency.caller, `flow ${idempotency.key}`);
  const earlier = await store.redis.set(key, `${id} ${print}`, 'PX', KEPT_MS, 'NX', 'GET');
  if (earlier === null) return id;
  const [before = '', earlierPrint] = earlier.split(' ');
  if (earlierPrint === print) return before;
  throw new ConflictError(
    'This idempotency key was used for another flow. Use a new key, or send the same body.',
    'idempotency_key',
    'idempotency_conflict',
  );
}

/** Cancels a flow: no step starts any more, and its jobs that have not ended are cancelled. */
export async function cancelFlow(store: Store, id: string): Promise<Flow> {
  const flow = await readFlow(store, id);
  if (flow === null) throw noSuchFlow(id);
  if (flow.status !== 'in_progress' && flow.status !== 'cancelled') {
    throw new ConflictError(`The flow ${id} is ${flow.status} already and cannot be cancelled.`, 'id', 'flow_finished');
  }
  // Also where it is cancelled already: who cancels again may do so because this was cut short the first time.
  const first = await endFlow(store, id, 'cancelled');
  if (first || flow.status === 'cancelled') await afterEnd(store, id, 'cancelled');
  return (await readFlow(store, id)) ?? flow;
}

/**
 * The same flow again, as a new one: what was completed and would be asked the same is not done again.
 * @param key the name of the API key of who does it again
 * @throws ShedError: nothing of it runs
 */
export async function retryFlow(store: Store, id: string, key: string | null = null): Promise<Flow> {
  const flow = await readFlow(store, id);
  if (flow === null) throw noSuchFlow(id);
  if (flow.status === 'in_progress') {
    throw new ConflictError(
      `The flow ${id} is in progress: only one that has ended can be retried.`,
      'id',
      'flow_not_finished',
    );
  }
  const again = newFlowId();
  const made = await writeFlow(store, newFlow(again, flow.definition, { key, retryOf: flow }));
  const begun = await begin(store, again, made, false);
  await noteRetry(store, id, again);
  return begun;
}

export function noSuchFlow(id: string): NotFoundError {
  return new NotFoundError(`There is no flow with the id '${id.slice(0, 80)}'.`, 'id');
}
