/**
 * A call's place under a limit: reserved before it, released after it. The limit is shared by all processes through
 * Redis, and only Redis's clock counts.
 */
import type { LimitConfig } from '@millrace/core';
import type { Redis } from 'ioredis';
import { limitKeys } from '../keys.ts';
import { runScript } from '../scripts.ts';
import { BURST_SHARE, HORIZON_MS } from './pace-of-limits.ts';

export interface LimitName {
  limit: string;
  /** Whose requests and tokens are counted together: a model, or the group that has it. */
  group: string;
}

export interface Ask {
  /** Names the reservation. */
  id: string;
  /** What the call is expected to count for. */
  tokens: number;
  /** The process that asks; it has one place in the line. */
  asker: string;
  /** 0 first … 9. */
  priority: number;
  /** The longest the call may take: a reservation that is never released is free again then. */
  leaseMs: number;
}

export interface Grant {
  id: string;
  tokens: number;
  /** Redis's clock when the call may start, ms with decimals; kept as Redis wrote it. */
  start: string;
  /** What is left of requests and tokens at the start, as Redis wrote it; '' where not limited. */
  left: readonly [requests: string, tokens: string];
  /** The limit is closed, and this call finds out whether it still is. */
  probe: boolean;
  /** It counts for what the upstream bears of this process. */
  windowed?: boolean;
}

/** What there was too little of. */
export type Scarce = 'requests' | 'tokens' | 'in_flight' | 'learning';

export type ReserveReply =
  /** `free`: nothing limits, as far as is known. */
  | { kind: 'granted'; inMs: number; grant: Grant; free: boolean }
  /** To be asked again then. */
  | { kind: 'wait'; inMs: number; scarce: Scarce }
  /** Until another call has ended. */
  | { kind: 'full'; scarce: Scarce }
  /** By a 429, or until it is resumed: `why` is then the reason of the attempt that closed it. */
  | { kind: 'closed'; inMs: number; why: string }
  /** The call needs more tokens than the limit allows in a minute. */
  | { kind: 'never'; tokensPerMinute: number };

/** @throws ReplyError from Redis, or a connection error */
export async function reserve(
  redis: Redis,
  { limit, group }: LimitName,
  config: LimitConfig,
  ask: Ask,
): Promise<ReserveReply> {
  const keys = limitKeys(limit, group);
  const [kind, first, second, ...rest] = (await runScript(
    redis,
    'reserve',
    [keys.bucket, keys.asking, keys.asked, keys.inFlight, keys.closed],
    [
      ...[ask.id, Math.ceil(ask.tokens), ask.asker, ask.priority],
      ...[config.requestsPerMinute ?? '', config.tokensPerMinute ?? '', config.inFlight ?? ''],
      ...[burstMs(config), Math.ceil(ask.leaseMs), HORIZON_MS],
    ],
  )) as string[];
  switch (kind) {
    case 'granted': {
      const [requests = '', tokens = '', probe, free] = rest;
      const grant: Grant = {
        id: ask.id,
        tokens: Math.ceil(ask.tokens),
        start: String(second),
        left: [requests, tokens],
        probe: Number(probe) === 1,
      };
      return { kind, inMs: Number(first), grant, free: Number(free) === 1 };
    }
    case 'wait':
      return { kind, inMs: Number(first), scarce: second as Scarce };
    case 'closed':
      return { kind, inMs: Number(first), why: String(second) };
    case 'full':
      return { kind, scarce: first as Scarce };
    default:
      return { kind: 'never', tokensPerMinute: Number(first) };
  }
}

/** What the upstream says of a limit: `x-ratelimit-limit-*` and `x-ratelimit-remaining-*`. */
export interface Gauge {
  limit: number;
  remaining: number;
}

export interface Settlement {
  /** What the call counted for; null: not known, so what was reserved stays taken. */
  tokens: number | null;
  requestsLeft: Gauge | null;
  tokensLeft: Gauge | null;
  /** The upstream has answered, and did not refuse the key. */
  answered: boolean;
  /** A 429: nobody calls for so long. */
  closeForMs: number | null;
  /** The call goes on: only what its headers say is taken. */
  keep?: boolean;
  /** Whether the upstream bore the call: false when it was overloaded, null when nothing is known of that. */
  bore?: boolean | null;
  /** How long the call took. */
  tookMs?: number;
}

/** @throws ReplyError from Redis, or a connection error; the reservation then ends with its lease */
export async function release(
  redis: Redis,
  { limit, group }: LimitName,
  config: LimitConfig,
  grant: Grant,
  settled: Settlement,
): Promise<void> {
  const keys = limitKeys(limit, group);
  const gauge = (told: Gauge | null): (number | string)[] => (told === null ? ['', ''] : [told.limit, told.remaining]);
  await runScript(
    redis,
    'release',
    [keys.bucket, keys.inFlight, keys.closed],
    [
      ...[settled.keep === true ? '' : grant.id, grant.start, ...grant.left, grant.tokens, settled.tokens ?? ''],
      ...gauge(settled.requestsLeft),
      ...gauge(settled.tokensLeft),
      ...[settled.answered ? 1 : 0, settled.closeForMs ?? '', burstMs(config)],
    ],
  );
}

function burstMs({ burstSeconds }: LimitConfig): number {
  return burstSeconds * 1000 * BURST_SHARE;
}
