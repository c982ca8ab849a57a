/** How often an upstream is asked for a response that is being made, or that it cannot show just now. */

/** Short answers are there within a second. */
const FIRST_MS = 500;
/** Beyond this a wait saves the upstream little, and costs the job time. */
export const LONGEST_WAIT_MS = 5000;

/**
 * Milliseconds to wait after the `n`-th try (from 0): 0.5 s, doubling up to 5 s, less up to half of it by chance, so that
 * the many that began together do not ask together.
 */
export function paceMs(n: number, random: () => number = Math.random): number {
  return Math.min(FIRST_MS * 2 ** n, LONGEST_WAIT_MS) * (1 - random() / 2);
}
