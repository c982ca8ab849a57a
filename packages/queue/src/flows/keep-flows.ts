/**
 * Looks after the flows that have not moved for a while: a process may have died between two of its writes, and then
 * nobody else would ever hear of it. An accepted flow must not wait for ever, nor end without telling so.
 */
import { ShedError } from '@millrace/core';
import { OPEN_FLOWS_KEY } from '../keys.ts';
import { type Duty, keepDuty } from '../lease.ts';
import { translateRedisError } from '../redis-refusal.ts';
import type { Store } from '../store.ts';
import { advanceFlow } from './advance-flow.ts';
import { afterEnd } from './end-flow.ts';
import { keepFlow, readFlow } from './flow-record.ts';

const EVERY_MS = 5000;
/** How long a flow may stand still before it is looked at, and between two looks. */
const STILL_MS = 10_000;
/** A round takes no more flows, and begins none after so long: those that were looked at longest ago are first. */
const ROUND_FLOWS = 200;
const ROUND_MS = 2000;

/** Starts the duty in this process; one process of the fleet does the work. */
export function keepFlows(store: Store, holder: string): Duty {
  return keepDuty(
    store.redis,
    'flows',
    holder,
    EVERY_MS,
    () => lookAfterFlows(store, STILL_MS),
    (error) => store.log.warn({ err: error }, 'Flows could not be looked after; trying again'),
  );
}

/** @param stillMs flows that have moved since are left alone */
export async function lookAfterFlows(store: Store, stillMs: number): Promise<void> {
  const began = Date.now();
  const ids = await store.redis.zrange(
    OPEN_FLOWS_KEY,
    '-inf',
    String(began - stillMs),
    'BYSCORE',
    'LIMIT',
    0,
    ROUND_FLOWS,
  );
  for (const id of ids) {
    if (Date.now() - began > ROUND_MS) return;
    await store.redis.zadd(OPEN_FLOWS_KEY, 'XX', Date.now(), id);
    try {
      await lookAfter(store, id);
    } catch (error) {
      // No room yet: it is looked at again.
      if (!(translateRedisError(error) instanceof ShedError))
        store.log.warn({ err: error, flow: id }, 'A flow could not go on; trying again');
    }
  }
}

async function lookAfter(store: Store, id: string): Promise<void> {
  const flow = await readFlow(store, id);
  if (flow === null) await store.redis.zrem(OPEN_FLOWS_KEY, id);
  else if (flow.status !== 'in_progress') await afterEnd(store, id, flow.status);
  else {
    await keepFlow(store, flow);
    await advanceFlow(store, id, [], true);
  }
}
