/** A job's deadline ends its attempt, whatever that is at: a call, the tools between two, or the wait for a place. */
import type { Begun } from '@millrace/queue';

/** setTimeout's own limit, some 24 days: anything longer would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Aborts the attempt at its job's deadline, by Redis's clock at the start. To be called at the start.
 * @returns forgets it
 */
export function untilDeadline({ deadline, startedAt }: Begun, controller: AbortController): () => void {
  const leftMs = deadline === null ? Number.POSITIVE_INFINITY : deadline - startedAt;
  // No worker runs for so long: whoever has the job then counts anew.
  if (leftMs > MAX_TIMER_MS) return () => undefined;
  const timer = setTimeout(() => controller.abort({ kind: 'deadline' }), leftMs);
  return () => clearTimeout(timer);
}
