/**
 * What a limit had counted in all, every two seconds of the last minute: so its use of a minute is a difference, and a
 * call costs no more than a running total.
 */
import type { Redis } from 'ioredis';
import { limitKeys } from '../keys.ts';
import type { LimitStatus } from './read-limits.ts';

/** How often the totals are kept. */
export const SAMPLE_EVERY_MS = 2000;
const MINUTE_MS = 60_000;
/** A minute of them, and some more where two processes keep them for a moment. */
const SAMPLES = 2 * (MINUTE_MS / SAMPLE_EVERY_MS) + 1;
/** What is older tells nothing of the last minute. */
const KEPT_MS = 2 * MINUTE_MS;

export interface Totals {
  /** ms by Redis's clock. */
  at: number;
  requests: number;
  tokens: number;
}

interface Sample {
  at: number;
  totals: Record<string, [requests: number, tokens: number]>;
}

/** Keeps the totals as they were read. */
export async function keepSample(redis: Redis, limit: LimitStatus, now: number): Promise<void> {
  const totals = limit.groups.map(({ group, requests, tokens }) => [group, [requests.total, tokens.total]]);
  const { samples } = limitKeys(limit.name, '');
  await redis
    .multi()
    .lpush(samples, JSON.stringify({ at: now, totals: Object.fromEntries(totals) }))
    .ltrim(samples, 0, SAMPLES - 1)
    .pexpire(samples, KEPT_MS)
    .exec();
}

/** The totals of a minute ago, or of the oldest sample where that is later; null where there is none. */
export function totalsBefore(samples: readonly string[], now: number): ((group: string) => Totals) | null {
  let found: Sample | null = null;
  for (const text of samples) {
    const sample = JSON.parse(text) as Sample;
    if (now - sample.at > KEPT_MS) break;
    found = sample;
    if (now - sample.at >= MINUTE_MS) break;
  }
  if (found === null) return null;
  const { at, totals } = found;
  return (group) => {
    // A group that was not there yet had counted nothing.
    const [requests, tokens] = totals[group] ?? [0, 0];
    return { at, requests, tokens };
  };
}
