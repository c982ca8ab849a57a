/** How long after a change of the limit its use is what the limit allows, and stays so without a refusal. */
import type { Charge } from './charges.ts';
import type { Refusals } from './watch-refusals.ts';

/** The use is looked at over so long: one job of the largest size is then less than a tenth of it. */
export const WINDOW_MS = 3000;
const STEP_MS = 250;
export const TOLERANCE = 0.1;

export interface Phase {
  /** ms since the epoch; the limit is the same from the one to the other. */
  from: number;
  until: number;
  tokensPerMinute: number;
}

/**
 * Seconds from the phase's beginning until the first moment from which on, to its end, every window has the limit's rate
 * within a tenth and nothing was refused. null: never.
 */
export function secondsUntilSettled(
  phase: Phase,
  charges: readonly Charge[],
  refusals: readonly Refusals[],
): number | null {
  const due = (phase.tokensPerMinute * WINDOW_MS) / 60_000;
  const isRight = (from: number): boolean => {
    const inside = charges.filter(({ at }) => at >= from && at < from + WINDOW_MS);
    const tokens = inside.reduce((sum, charge) => sum + charge.tokens, 0);
    return Math.abs(tokens / due - 1) <= TOLERANCE;
  };
  let settled: number | null = null;
  for (let from = phase.until - WINDOW_MS; from >= phase.from && isRight(from); from -= STEP_MS) settled = from;
  if (settled === null) return null;
  const refused = refusals.findLast(
    ({ at, limited }, index) => at > phase.from && at <= phase.until && limited > (refusals[index - 1]?.limited ?? 0),
  );
  return (Math.max(settled, refused?.at ?? settled) - phase.from) / 1000;
}
