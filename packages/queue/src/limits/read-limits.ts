/**
 * How the limits stand, for people: changes nothing and takes no place. What is left is what the next reservation would
 * find; what the upstream has told stands beside it.
 */
import type { LimitConfig } from '@millrace/core';
import type { Redis } from 'ioredis';
import { limitKeys } from '../keys.ts';
import type { Store } from '../store.ts';
import type { ClosedFor } from './closing.ts';
import { bucketOf, type KindStatus } from './read-bucket.ts';
import { firstInLine, type LineStatus } from './read-line.ts';
import { totalsBefore } from './use-samples.ts';

export interface GroupStatus {
  /** The model whose requests and tokens are counted; of models that are counted together, the first. */
  group: string;
  /** By a 429, until then, ms by Redis's clock. */
  closedUntil: number | null;
  /** What answers say of the limit: in headers, nothing, or not known yet. */
  told: 'headers' | 'none' | null;
  requests: KindStatus;
  tokens: KindStatus;
  /** Null: no process waits. */
  waiting: LineStatus | null;
}

export interface LimitStatus {
  name: string;
  config: LimitConfig;
  /** Reservations under way, of all its models. */
  inFlight: number;
  /** As a whole, until it is resumed or a probe is answered; times in ms by Redis's clock. */
  closed: { why: ClosedFor; since: number; nextProbeAt: number } | null;
  groups: readonly GroupStatus[];
}

export interface LimitsStatus {
  /** Redis's clock, ms. */
  now: number;
  limits: readonly LimitStatus[];
}

/** Jobs name models freely: of a limit with more, the first by name are shown. */
const GROUPS_SHOWN = 200;
/** Of so many processes the first is looked for that still waits; `reserve` looks no further either. */
const ASKERS_READ = 100;

/** The group by which a model's calls are counted. */
export function groupOf(config: LimitConfig, model: string): string {
  return config.models.includes(model) ? (config.models[0] ?? model) : model;
}

/** The groups that were ever used, by name. */
export async function groupsOf(redis: Redis, limit: string): Promise<string[]> {
  return (await redis.smembers(limitKeys(limit, '').groups)).sort();
}

/**
 * Every configured limit, in the configuration's order. Two round trips.
 * @throws ReplyError from Redis, or a connection error
 */
export async function readLimits({ redis, config }: Pick<Store, 'redis' | 'config'>): Promise<LimitsStatus> {
  const names = Object.entries(config.limits);
  const [time, ...wholes] = await Promise.all([
    redis.time(),
    ...names.map(async ([name, terms]) => {
      const keys = limitKeys(name, '');
      const [groups, closed, low, samples] = await Promise.all([
        groupsOf(redis, name),
        redis.hgetall(keys.closed),
        redis.hgetall(keys.low),
        redis.lrange(keys.samples, 0, -1),
      ]);
      return { name, terms, groups: groups.slice(0, GROUPS_SHOWN), closed, low, samples };
    }),
  ]);
  const now = Number(time[0]) * 1000 + Math.floor(Number(time[1]) / 1000);
  const limits = wholes.map(async ({ name, terms, groups, closed, low, samples }): Promise<LimitStatus> => {
    const before = totalsBefore(samples, now);
    const [inFlight, ...states] = await Promise.all([
      redis.zcount(limitKeys(name, '').inFlight, String(now), '+inf'),
      ...groups.map(async (group): Promise<GroupStatus | null> => {
        const keys = limitKeys(name, group);
        const [bucket, ranks, asked] = await Promise.all([
          redis.hgetall(keys.bucket),
          redis.zrange(keys.asking, '0', String(ASKERS_READ - 1), 'WITHSCORES'),
          redis.hgetall(keys.asked),
        ]);
        // Forgotten a week after its last use.
        if (Object.keys(bucket).length === 0 && ranks.length === 0) return null;
        const kind = (of: 'requests' | 'tokens'): KindStatus =>
          bucketOf(bucket, of, terms, now, { before: before?.(group), low: low[`${of} ${group}`] });
        const closedUntil = Number(bucket.closed ?? 0);
        const [requests, tokens] = [kind('requests'), kind('tokens')];
        return {
          group,
          closedUntil: closedUntil > now ? closedUntil : null,
          told: bucket.known === 'headers' || bucket.known === 'none' ? bucket.known : null,
          requests,
          tokens,
          waiting: firstInLine(ranks, asked, { requests, tokens }, now),
        };
      }),
    ]);
    const { why, since, until } = closed;
    return {
      name,
      config: terms,
      inFlight,
      closed:
        why === undefined ? null : { why: why as ClosedFor, since: Number(since ?? now), nextProbeAt: Number(until) },
      groups: states.filter((state) => state !== null),
    };
  });
  return { now, limits: await Promise.all(limits) };
}
