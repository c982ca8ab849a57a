/** How often the upstream has refused by when: asked four times a second while a run goes on. */
import { elapsed } from '../../harness/elapse.ts';

const EVERY_MS = 250;

export interface Refusals {
  /** ms since the epoch. */
  at: number;
  /** Ours only, so far. */
  limited: number;
}

/** Looks until it is told to stop; the last look is after that. @param count so far, of ours only */
export async function watchRefusals(count: () => Promise<number>, over: AbortSignal): Promise<Refusals[]> {
  const seen: Refusals[] = [];
  for (let last = false; !last; ) {
    last = over.aborted;
    seen.push({ at: Date.now(), limited: await count() });
    if (!last) await elapsed(EVERY_MS);
  }
  return seen;
}

/** How many there were after a time, in ms since the epoch. */
export function refusalsSince(seen: readonly Refusals[], at: number): number {
  const before = seen.findLast((one) => one.at <= at)?.limited ?? 0;
  return (seen.at(-1)?.limited ?? before) - before;
}
