/** What keeps a queue's jobs from being called, whichever of them it is: told in the order in which it binds. */
import type { Config } from '@millrace/core';
import type { BreakerStatus } from '../breaker/read-breaker.ts';
import type { LiveWorker } from '../workers.ts';
import type { ClosedFor } from './closing.ts';
import { type GroupStatus, groupOf, type LimitStatus } from './read-limits.ts';
import type { Scarce } from './reserve.ts';

export interface WaitingFor {
  reason:
    | 'previous_response'
    | 'shared_call'
    | 'conversation'
    | 'delay'
    | 'backoff'
    | 'queue_paused'
    | 'no_worker'
    | 'breaker'
    | 'limit_closed'
    | 'limit'
    | 'line';
  /** ms by Redis's clock; null: not known. */
  until: number | null;
  message: string;
}

/** How all that jobs may wait for stands. */
export interface Standing {
  /** Redis's clock, ms. */
  now: number;
  limits: readonly LimitStatus[];
  /** By upstream. */
  breakers: ReadonlyMap<string, BreakerStatus>;
  workers: readonly LiveWorker[];
  /** Names of queues. */
  paused: ReadonlySet<string>;
}

const CLOSED: Record<ClosedFor, string> = {
  insufficient_quota: 'the upstream says the account’s quota is used up',
  unauthorized: 'the upstream refuses the key',
};

/**
 * What all jobs of a queue wait for; null: nothing but their turn.
 * @param model of the job; null: of the queue as a whole, where any model of its limit may bind
 */
export function heldUp(
  { queues }: Pick<Config, 'queues'>,
  queue: string,
  model: string | null,
  { now, limits, breakers, workers, paused }: Standing,
): WaitingFor | null {
  const settings = queues[queue];
  if (settings === undefined) return null;
  if (paused.has(queue)) return { reason: 'queue_paused', until: null, message: `the queue '${queue}' is paused` };
  if (!workers.some((worker) => worker.queues.includes(queue))) {
    return { reason: 'no_worker', until: null, message: 'no worker is alive' };
  }
  const breaker = breakers.get(settings.upstream);
  if (breaker !== undefined && breaker.state !== 'closed') return waitsForBreaker(settings.upstream, breaker, now);
  const limit = limits.find(({ name }) => name === settings.limit);
  if (limit === undefined) return null;
  if (limit.closed !== null) {
    const message = `the limit '${limit.name}' is closed: ${CLOSED[limit.closed.why]}`;
    return { reason: 'limit_closed', until: limit.closed.nextProbeAt, message };
  }
  const own = limit.groups.find(({ group }) => group === groupOf(limit.config, model ?? settings.model ?? ''));
  const others = model === null ? limit.groups : [];
  for (const group of own === undefined ? others : [own, ...others]) {
    const waiting = waitsForGroup(limit.name, group, now);
    if (waiting !== null) return waiting;
  }
  return null;
}

/** How many jobs of a queue all workers alive run at once, at most. */
export function roomOf({ queues }: Pick<Config, 'queues'>, queue: string, workers: readonly LiveWorker[]): number {
  const ours = queues[queue]?.concurrency ?? 0;
  return workers
    .filter((worker) => worker.queues.includes(queue))
    .reduce((sum, { self }) => sum + (self?.concurrency[queue] ?? ours), 0);
}

function waitsForBreaker(upstream: string, { state, nextProbeAt }: BreakerStatus, now: number): WaitingFor {
  const what = `the circuit breaker of '${upstream}'`;
  if (state === 'half_open')
    return { reason: 'breaker', until: null, message: `${what}: calls come back step by step` };
  const probed = nextProbeAt === null ? '' : `, probed in ${seconds(nextProbeAt - now)}`;
  return { reason: 'breaker', until: nextProbeAt, message: `${what}: its calls fail${probed}` };
}

function waitsForGroup(limit: string, group: GroupStatus, now: number): WaitingFor | null {
  if (group.closedUntil !== null) {
    const message = `the upstream asked for a pause: ${group.group}, ${seconds(group.closedUntil - now)}`;
    return { reason: 'limit_closed', until: group.closedUntil, message };
  }
  return group.waiting === null ? null : waitsInLine(limit, group, group.waiting, now);
}

/** The time is that of the first call in line; it is not told how many jobs are before this one. */
function waitsInLine(
  limit: string,
  { group }: GroupStatus,
  { scarce, until }: NonNullable<GroupStatus['waiting']>,
  now: number,
): WaitingFor {
  const what: Record<Scarce, string> = {
    requests: `requests of ${group}`,
    tokens: `tokens of ${group}`,
    in_flight: `a call in flight under '${limit}' to end`,
    learning: `the first answers, which tell the limit of ${group}`,
  };
  const time = until === null ? '' : `, ${seconds(until - now)}`;
  return { reason: 'limit', until, message: `${what[scarce]}${time}` };
}

function seconds(ms: number): string {
  return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
}
