/** Which processes wait for room under a limit, what for, and until when: of the processes' line as `reserve` keeps it. */
import type { KindStatus } from './read-bucket.ts';
import type { Scarce } from './reserve.ts';

export interface LineStatus {
  /** Each with one call at the head of its own line. */
  processes: number;
  /** What the first of them waits for. */
  scarce: Scarce;
  /** When its call may start, ms by Redis's clock; null: when another call has ended. */
  until: number | null;
}

const MINUTE_MS = 60_000;

/**
 * @param ranks askers and their scores, the first first, as ZRANGE WITHSCORES has them
 * @param asked until when each is expected, its tokens, and `full` where it waits for a call to end
 * @param now ms by Redis's clock
 */
export function firstInLine(
  ranks: readonly string[],
  asked: Readonly<Record<string, string>>,
  kinds: { requests: KindStatus; tokens: KindStatus },
  now: number,
): LineStatus | null {
  // Who is late has lost its turn, and is removed by the next who asks.
  const waiting = ranks
    .filter((_, index) => index % 2 === 0)
    .map((asker) => (asked[asker] ?? '0 0').split(' '))
    .filter(([expires]) => Number(expires) >= now);
  const [first] = waiting;
  if (first === undefined) return null;
  const [, tokens, what] = first;
  const processes = waiting.length;
  const { requests: r, tokens: t } = kinds;
  if (what === 'full') {
    const learning = r.limit === null && t.limit === null;
    return { processes, scarce: learning ? 'learning' : 'in_flight', until: null };
  }
  const [requestsMs, tokensMs] = [untilRoom(r, 1), untilRoom(t, Number(tokens))];
  return {
    processes,
    scarce: tokensMs > requestsMs ? 'tokens' : 'requests',
    until: Math.ceil(now + Math.max(requestsMs, tokensMs)),
  };
}

/** A call larger than the burst starts when the bucket is full. In ms. */
function untilRoom({ limit, available, burst, others }: KindStatus, wanted: number): number {
  if (limit === null || available === null || burst === null) return 0;
  return Math.max(0, ((Math.min(wanted, burst) - available) / (limit - others)) * MINUTE_MS);
}
