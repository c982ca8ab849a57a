/** What a waiting job waits for, in words and with the time where one is known. */
import type { Job } from '@millrace/core';
import { type BreakerStatus, readBreakers } from '../breaker/read-breaker.ts';
import { beforeInConversation, conversationHash } from '../conversation.ts';
import { findPrevious } from '../previous-response.ts';
import type { Store } from '../store.ts';
import type { ClosedFor } from './closing.ts';
import { type GroupStatus, groupOf, type LimitStatus, readLimits } from './read-limits.ts';
import type { Scarce } from './reserve.ts';

export interface WaitingFor {
  reason:
    | 'previous_response'
    | 'shared_call'
    | 'conversation'
    | 'delay'
    | 'backoff'
    | 'queue_paused'
    | 'breaker'
    | 'limit_closed'
    | 'limit';
  /** ms by Redis's clock; null: not known. */
  until: number | null;
  message: string;
}

/** Tells of each job. */
export type TellWaiting = (job: Job) => WaitingFor | null;

const CLOSED: Record<ClosedFor, string> = {
  insufficient_quota: 'the upstream says the account’s quota is used up',
  unauthorized: 'the upstream refuses the key',
};

/**
 * Reads what there is to know about these jobs, and no more: nothing at all where none of them waits.
 * @throws ReplyError from Redis, or a connection error
 */
export async function readWaiting(store: Store, jobs: readonly Job[]): Promise<TellWaiting> {
  const due = jobs.filter((job) => job.status === 'queued' && waitsForItsTime(job) === null);
  if (due.length === 0) return waitsForItsTime;
  const names = [...new Set(due.map(({ queue }) => queue))];
  const [{ now, limits }, breakers, follow, ...areTaken] = await Promise.all([
    readLimits(store),
    readBreakers(store),
    readFollowing(store, due),
    ...names.map(async (name) => !(await store.queues.get(name)?.bull.isPaused())),
  ]);
  return (job) => {
    const itsTime = waitsForItsTime(job);
    const settings = store.config.queues[job.queue];
    if (itsTime !== null || job.status !== 'queued' || settings === undefined) return itsTime;
    const before = follow.get(job.id);
    if (before !== undefined) return before;
    if (job.follows !== null) {
      return { reason: 'shared_call', until: null, message: `the call of ${job.follows}, an equal request, to end` };
    }
    if (areTaken[names.indexOf(job.queue)] === false) {
      return { reason: 'queue_paused', until: null, message: `the queue '${job.queue}' is paused` };
    }
    const breaker = breakers.get(settings.upstream);
    if (breaker !== undefined && breaker.state !== 'closed') return waitsForBreaker(settings.upstream, breaker, now);
    const limit = limits.find(({ name }) => name === settings.limit);
    return limit === undefined ? null : waitsForLimit(limit, job.model ?? settings.model ?? '', now);
  };
}

/** Which of the jobs go on from one that has not ended, by their ids. */
async function readFollowing(store: Store, jobs: readonly Job[]): Promise<Map<string, WaitingFor>> {
  const waiting = new Map<string, WaitingFor>();
  const look = async (job: Job): Promise<void> => {
    const before = await unfinishedBefore(store, job);
    if (before !== null) waiting.set(job.id, { until: null, ...before });
  };
  // At once: a page of jobs is to cost about one round trip.
  await Promise.all(jobs.map(look));
  return waiting;
}

async function unfinishedBefore(
  store: Store,
  { id, queue: name, body }: Job,
): Promise<Pick<WaitingFor, 'reason' | 'message'> | null> {
  const { previous_response_id: previous } = body as { previous_response_id?: unknown };
  if (typeof previous === 'string' && (await findPrevious(store, previous)).kind === 'unfinished') {
    return { reason: 'previous_response', message: `the previous response ${previous} to end` };
  }
  const queue = store.queues.get(name);
  const conversation = conversationHash(body);
  if (queue === undefined || conversation === null) return null;
  const before = await beforeInConversation(store, queue, id, conversation);
  if (before === null) return null;
  return { reason: 'conversation', message: `the job ${before}, before it in its conversation, to end` };
}

function waitsForItsTime({ status, delayed_until: until, attempts }: Job): WaitingFor | null {
  // One that is due is told of until it begins.
  if (status !== 'queued' || until === null || until <= Date.now()) return null;
  return attempts.length > 0
    ? { reason: 'backoff', until, message: 'the pause before the next attempt' }
    : { reason: 'delay', until, message: 'its delay' };
}

function waitsForBreaker(upstream: string, { state, nextProbeAt }: BreakerStatus, now: number): WaitingFor {
  const what = `the circuit breaker of '${upstream}'`;
  if (state === 'half_open')
    return { reason: 'breaker', until: null, message: `${what}: calls come back step by step` };
  const probed = nextProbeAt === null ? '' : `, probed in ${seconds(nextProbeAt - now)}`;
  return { reason: 'breaker', until: nextProbeAt, message: `${what}: its calls fail${probed}` };
}

function waitsForLimit(limit: LimitStatus, model: string, now: number): WaitingFor | null {
  const { name, closed, config, groups } = limit;
  if (closed !== null) {
    const message = `the limit '${name}' is closed: ${CLOSED[closed.why]}`;
    return { reason: 'limit_closed', until: closed.nextProbeAt, message };
  }
  const group = groups.find((one) => one.group === groupOf(config, model));
  if (group === undefined) return null;
  if (group.closedUntil !== null) {
    const message = `the upstream asked for a pause: ${group.group}, ${seconds(group.closedUntil - now)}`;
    return { reason: 'limit_closed', until: group.closedUntil, message };
  }
  return group.waiting === null ? null : waitsInLine(name, group, group.waiting, now);
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
