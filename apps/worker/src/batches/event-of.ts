/** A batch ends once, so its id names the event too: however often it is sent, it is one. */
import type { Batch } from '@millrace/queue';

export function eventOf({ id }: Batch): string {
  return `evt_${id.slice(-32)}`;
}
