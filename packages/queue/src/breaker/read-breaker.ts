/** How an upstream's breaker stands, for people: changes nothing and lets nothing start. */
import type { Redis } from 'ioredis';
import { breakerKeys } from '../keys.ts';
import type { Store } from '../store.ts';
import { SAMPLE_MS } from './pace-of-breaker.ts';
import type { BreakerState } from './step.ts';

export interface BreakerStatus {
  state: BreakerState;
  /** When it turned to this state, ms by Redis's clock; null where nobody has called for a day. */
  since: number | null;
  /** Failed calls: of the latest ones while it is closed, else since the outage began (those that opened it, and probes). */
  failures: number;
  /** While open: when the next call may start, ms by Redis's clock. */
  nextProbeAt: number | null;
}

/** Of every configured upstream, by its name. @throws a connection error */
export async function readBreakers({
  redis,
  config,
}: Pick<Store, 'redis' | 'config'>): Promise<Map<string, BreakerStatus>> {
  const names = Object.keys(config.upstreams);
  const statuses = await Promise.all(names.map((name) => readBreaker(redis, name)));
  return new Map(names.map((name, index) => [name, statuses[index] as BreakerStatus]));
}

/** @throws a connection error */
export async function readBreaker(redis: Redis, upstream: string): Promise<BreakerStatus> {
  const { breaker } = breakerKeys(upstream);
  const [[seconds, micros], [state, since, failures, sample, nextProbeAt]] = await Promise.all([
    redis.time(),
    redis.hmget(breaker, 'state', 'since', 'failures', 'sample', 'next_probe'),
  ]);
  const known = (state ?? 'closed') as BreakerState;
  const oldest = Number(seconds) * 1000 + Number(micros) / 1000 - SAMPLE_MS;
  const failed = (sample ?? '').split(' ').filter((call) => call.endsWith('-') && Number.parseInt(call, 10) > oldest);
  return {
    state: known,
    since: since ? Number(since) : null,
    failures: known === 'closed' ? failed.length : Number(failures),
    nextProbeAt: known === 'open' ? Number(nextProbeAt) : null,
  };
}
