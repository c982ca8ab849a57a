/**
 * How fast work ends, and so when it will be over: by what ended within the last minute that was seen, or, where too
 * little was seen, since it began. Work that has stopped has no end that could be told.
 */

/** How many had ended at a time (ms). */
export interface Sample {
  at: number;
  ended: number;
}

export interface Pace {
  /** Jobs a minute. */
  perMinute: number;
  /** When all will have ended, ms; null: not to be told. */
  doneAt: number | null;
}

const WINDOW_MS = 60_000;
/** Less says too little. */
const LEAST_MS = 10_000;

/** @param began when the first could have ended, ms; null: it has not begun */
export function paceOf(samples: readonly Sample[], began: number | null, total: number): Pace | null {
  const last = samples.at(-1);
  if (began === null || last === undefined || last.ended === 0) return null;
  const first = samples.find(({ at }) => at >= last.at - WINDOW_MS) ?? last;
  const seen = last.at - first.at >= LEAST_MS;
  const { at, ended } = seen ? first : { at: began, ended: 0 };
  const perMinute = ((last.ended - ended) / Math.max(1, last.at - at)) * 60_000;
  const left = Math.max(0, total - last.ended);
  return { perMinute, doneAt: perMinute === 0 ? null : Math.round(last.at + (left / perMinute) * 60_000) };
}

/** What is kept of the samples when another comes: no more than the window needs. */
export function sampled(samples: readonly Sample[], next: Sample): Sample[] {
  return [...samples.filter(({ at }) => at >= next.at - WINDOW_MS), next];
}
