/** What is left of a model's requests or tokens: by our own count, as `reserve` has it, and as the upstream has told. */
import type { LimitConfig } from '@millrace/core';
import { BURST_SHARE, OTHERS_MOST } from './pace-of-limits.ts';
import type { Totals } from './use-samples.ts';

export interface KindStatus {
  /** A minute; null: not configured. */
  configured: number | null;
  /** A minute, by the upstream's answers; null: it does not say. */
  learned: number | null;
  /** What counts of the two: the smaller. Null: nothing limits. */
  limit: number | null;
  /** So much may be used at once; below zero: a debt that the pace pays. Null where nothing limits. */
  available: number | null;
  /** The most that is ever available at once. */
  burst: number | null;
  /** What others on the same key use a minute, as far as it shows. */
  others: number;
  /** What was left by the upstream's last word. Null: it does not say, or said nothing for minutes. */
  remaining: number | null;
  /** The most that it ever told. */
  fullest: number | null;
  /** Since when too little is left, ms by Redis's clock; null: it is not. */
  lowSince: number | null;
  /** All that was ever counted; starts anew when the limit was not used for a week. */
  total: number;
  /** What was counted since `usedSince`, about a minute ago; null: not known, as where nothing limits. */
  used: number | null;
  usedSince: number | null;
}

/** A limit is one of a minute: after five without a word, what was left says nothing any more. */
const TOLD_BELIEVED_MS = 300_000;
const MINUTE_MS = 60_000;

/** @param now ms by Redis's clock */
export function bucketOf(
  bucket: Readonly<Record<string, string>>,
  kind: 'requests' | 'tokens',
  config: LimitConfig,
  now: number,
  known: {
    /** The totals of about a minute ago. */
    before: Totals | undefined;
    low: string | undefined;
  },
): KindStatus {
  const number = (field: string): number | null => {
    const value = bucket[field];
    return value === undefined || value === '' || !Number.isFinite(Number(value)) ? null : Number(value);
  };
  const configured = (kind === 'requests' ? config.requestsPerMinute : config.tokensPerMinute) ?? null;
  const learned = number(`learned_${kind}`);
  const limit = configured === null || learned === null ? (configured ?? learned) : Math.min(configured, learned);
  const believed = now < (number('others_until') ?? 0);
  const taken = Math.max(0, believed ? (number(`others_${kind}`) ?? 0) * MINUTE_MS : 0);
  const others = Math.min(taken, (limit ?? 0) * OTHERS_MOST);
  const burst = limit === null ? null : burstOf(limit, kind, config);
  const level = number(kind) ?? 0;
  // While it is closed its time stands still: it opens empty.
  const elapsedMs = Math.max(0, now - (number('at') ?? now));
  const toldAt = number('told_at');
  const total = number(`used_${kind}`) ?? 0;
  const { before, low } = known;
  return {
    configured,
    learned,
    limit,
    available:
      limit === null || burst === null ? null : Math.min(burst, level + (elapsedMs * (limit - others)) / MINUTE_MS),
    burst,
    others,
    remaining: toldAt !== null && now - toldAt < TOLD_BELIEVED_MS ? number(`told_${kind}`) : null,
    fullest: number(`fullest_${kind}`),
    lowSince: low === undefined ? null : Number(low),
    total,
    // Less than before: it was forgotten meanwhile, and counts anew.
    used: before === undefined || limit === null ? null : total >= before[kind] ? total - before[kind] : total,
    usedSince: before?.at ?? null,
  };
}

function burstOf(limit: number, kind: 'requests' | 'tokens', { burstSeconds }: LimitConfig): number {
  const room = (limit / MINUTE_MS) * burstSeconds * 1000 * BURST_SHARE;
  return kind === 'requests' ? Math.max(1, room) : room;
}
