/** A wait that ends early when it is called off. */
import { setTimeout as wait } from 'node:timers/promises';

/** False when the signal was aborted before the time was over. */
export async function paused(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await wait(ms, undefined, { signal });
    return true;
  } catch {
    // Only an abort rejects.
    return false;
  }
}
