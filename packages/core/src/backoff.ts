/** How long a job waits before its next attempt. */

/**
 * Exponential backoff with full jitter: a random wait between 0 and min(max, base × 2^(n−1)) after the n-th failure
 * (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015). Where the upstream named a wait
 * (`retry-after`), that wait is kept whole, however long, and the jitter comes on top, so that the many who were told
 * the same moment do not all come back at it.
 * @param failures counted failures so far, from 1
 * @returns milliseconds
 */
export function backoffMs(
  failures: number,
  backoff: { baseSeconds: number; maxSeconds: number },
  afterMs: number,
  random: () => number = Math.random,
): number {
  const ceilingSeconds = Math.min(backoff.maxSeconds, backoff.baseSeconds * 2 ** Math.max(0, failures - 1));
  return Math.ceil(afterMs + random() * ceilingSeconds * 1000);
}
