/** Takes back a flow whose submission is refused: its caller was told that nothing of it is stored. */
import type { Store } from '../store.ts';
import { cancelOpen } from './end-flow.ts';
import { deleteFlow, endFlow, readFlow } from './flow-record.ts';
import { anyStored } from './start-step.ts';

/** @param keyed it may be sent again, as the same flow: then one of which jobs were stored is left to go on */
export async function withdrawFlow(store: Store, id: string, keyed: boolean): Promise<void> {
  const flow = await readFlow(store, id);
  if (flow === null) return;
  if (keyed && (await anyStored(store, flow))) return;
  // Said first, so that nobody who hears of one of its jobs starts more.
  await endFlow(store, id, 'cancelled');
  await cancelOpen(store, id, Object.keys(flow.steps));
  await deleteFlow(store, flow);
}
