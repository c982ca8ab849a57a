/** Takes back a flow whose submission is refused: its caller was told that nothing of it is stored. */
import type { FlowStep } from '@millrace/core';
import { flowKeys } from '../keys.ts';
import type { Store } from '../store.ts';
import { cancelOpen, letGo } from './end-flow.ts';
import { deleteFlow, endFlow, type Flow, readFlow } from './flow-record.ts';
import { jobStatuses } from './job-fields.ts';
import { queueNameOf } from './step-jobs.ts';

/** @param keyed it may be sent again, as the same flow: then one of which jobs were stored is left to go on */
export async function withdrawFlow(store: Store, id: string, keyed: boolean): Promise<void> {
  const flow = await readFlow(store, id);
  if (flow === null) return;
  if (keyed && (await anyStored(store, flow))) return;
  // Said first, so that nobody who hears of one of its jobs starts more. A full Redis does not take it; nor any job.
  await endFlow(store, id, 'cancelled').catch(() => undefined);
  await cancelOpen(store, id, Object.keys(flow.steps));
  await letGo(store, flow);
  await deleteFlow(store, flow);
}

/** Whether any job of a flow was stored. */
async function anyStored(store: Store, flow: Flow): Promise<boolean> {
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
