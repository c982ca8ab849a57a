/** Rates of the minute up to now: what ended in the present minute, and of the one before what is not a minute old. */
import type { MinuteFigures } from '@millrace/queue';

const MINUTE_MS = 60_000;

/**
 * What was counted in the last 60 seconds.
 * @param minutes ascending; the last is the present one
 * @param now ms by the clock that the minutes are of
 */
export function lastMinute(
  minutes: readonly MinuteFigures[],
  now: number,
  of: (minute: MinuteFigures) => number,
): number {
  const [before, present] = minutes.slice(-2);
  if (before === undefined || present === undefined) return 0;
  const gone = Math.min(1, Math.max(0, (now - present.minute * MINUTE_MS) / MINUTE_MS));
  return of(present) + of(before) * (1 - gone);
}
