/** What a waiting job waits for, in words and with the time where one is known. */
import type { Job } from '@millrace/core';
import { readBreakers } from '../breaker/read-breaker.ts';
import { beforeInConversation, conversationHash } from '../conversation.ts';
import { findPrevious } from '../previous-response.ts';
import type { Store } from '../store.ts';
import { readWorkers } from '../workers.ts';
import { heldUp, roomOf, type WaitingFor } from './held-up.ts';
import { readLimits } from './read-limits.ts';

/** Tells of each job; null of one that does not wait. */
export type TellWaiting = (job: Job) => WaitingFor | null;

/**
 * Reads what there is to know about these jobs, and no more: nothing at all where none of them waits.
 * @throws ReplyError from Redis, or a connection error
 */
export async function readWaiting(store: Store, jobs: readonly Job[]): Promise<TellWaiting> {
  const due = jobs.filter((job) => job.status === 'queued' && waitsForItsTime(job) === null);
  if (due.length === 0) return waitsForItsTime;
  const names = [...new Set(due.map(({ queue }) => queue))];
  const [{ now, limits }, breakers, workers, follow, places, ...isPaused] = await Promise.all([
    readLimits(store),
    readBreakers(store),
    readWorkers(store),
    readFollowing(store, due),
    readPlaces(store, due),
    ...names.map(async (name) => (await store.queues.get(name)?.bull.isPaused()) ?? false),
  ]);
  const standing = { now, limits, breakers, workers, paused: new Set(names.filter((_, index) => isPaused[index])) };
  return (job) => {
    const itsTime = waitsForItsTime(job);
    if (itsTime !== null || job.status !== 'queued') return itsTime;
    const before = follow.get(job.id);
    if (before !== undefined) return before;
    if (job.follows !== null) {
      return { reason: 'shared_call', until: null, message: `the call of ${job.follows}, an equal request, to end` };
    }
    const settings = store.config.queues[job.queue];
    const held = heldUp(store.config, job.queue, job.model ?? settings?.model ?? '', standing);
    if (held !== null) return held;
    const message = turnOf(places.get(job.id) ?? null, roomOf(store.config, job.queue, workers));
    return { reason: 'line', until: null, message };
  };
}

/** Jobs before it in its queue; 'taken': a worker has it. */
type Place = number | 'taken';

/** The places of jobs among those that are ready; of none that is just being moved. One round trip. */
async function readPlaces({ redis, queues }: Store, jobs: readonly Job[]): Promise<Map<string, Place>> {
  const places = new Map<string, Place>();
  const pipeline = redis.pipeline();
  const asked = jobs.filter(({ queue }) => queues.has(queue));
  for (const { id, queue } of asked) {
    const bull = queues.get(queue)?.bull;
    if (bull === undefined) continue;
    pipeline.zrank(bull.toKey('prioritized'), id);
    pipeline.exists(`${bull.toKey(id)}:lock`);
  }
  const replies = (await pipeline.exec()) ?? [];
  for (const [index, { id }] of asked.entries()) {
    const [rank, locked] = [replies[index * 2]?.[1], replies[index * 2 + 1]?.[1]];
    if (typeof rank === 'number') places.set(id, rank);
    else if (locked === 1) places.set(id, 'taken');
  }
  return places;
}

function turnOf(place: Place | null, room: number): string {
  if (place === 'taken') return 'its call to start: a worker has taken it';
  const atOnce = `the workers run ${room} of its queue at once`;
  if (place === null || place === 0) return `its turn: it is next; ${atOnce}`;
  return `its turn: ${place} ${place === 1 ? 'job is' : 'jobs are'} before it; ${atOnce}`;
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
