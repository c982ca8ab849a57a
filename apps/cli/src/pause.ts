/** A pause that can be cut short. */
import { setTimeout as wait } from 'node:timers/promises';

/** Resolves after `ms`. @throws the reason of `signal` (Node's own timer throws an AbortError around it). */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await wait(ms, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
