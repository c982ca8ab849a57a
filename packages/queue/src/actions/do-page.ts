/**
 * One page of an action: its jobs are retried or discarded. It may be done again, by a worker that comes after a crash:
 * the jobs it makes have ids made of the action's and the old job's, and what is there is not made again. A job that was
 * retried before, by whomever, is left alone, also where two pages are done at once: what is ordered twice is paid once.
 */
import { ConflictError, editedJob, InvalidRequestError, jobIdOfAction, type NewJob, ShedError } from '@millrace/core';
import { jobRetries, jobStatuses, readFields } from '../flows/job-fields.ts';
import { readMany } from '../read.ts';
import { forgetJob } from '../retention.ts';
import { sameAgain } from '../retry-job.ts';
import { queueOfJob, type Store, type StoreQueue } from '../store.ts';
import { submit } from '../submit.ts';
import type { Action, ActionError, SkipReason } from './action.ts';

/** Requests that are in memory at once. */
const READ_BYTES = 16 * 1024 ** 2;
const MESSAGE_CHARACTERS = 500;

export interface PageDone {
  /** The ids of new jobs; of a discard, those that are gone. */
  made: string[];
  skips: SkipReason[];
  errors: ActionError[];
}

type Place = { queue: StoreQueue; id: string };

/** @throws ShedError when there is no room: it is to be done again later. Anything that Redis says. */
export async function doPage(store: Store, action: Action, ids: readonly string[]): Promise<PageDone> {
  const done: PageDone = { made: [], skips: [], errors: [] };
  const places = ids.flatMap((id) => {
    const queue = queueOfJob(store, id);
    return queue === undefined ? [] : [{ queue, id }];
  });
  for (let gone = places.length; gone < ids.length; gone++) done.skips.push('gone');
  const statuses = await jobStatuses(store, places);
  const failed = places.filter((_, index) => statuses[index] === 'failed');
  for (const [index, { id }] of places.entries()) {
    const status = statuses[index] ?? null;
    // What a discard finds gone may be what it has discarded before a crash; gone it should be.
    if (status === null && action.kind === 'discard') done.made.push(id);
    else if (status !== 'failed') done.skips.push(status === null ? 'gone' : 'not_failed');
  }
  if (action.kind === 'discard') await discard(store, failed, done);
  else await retry(store, action, failed, done);
  return done;
}

async function discard(store: Store, places: readonly Place[], done: PageDone): Promise<void> {
  await Promise.all(
    places.map(async ({ queue, id }) => {
      const came = await forgetJob(store, queue, id);
      if (came === 'removed' || came === 'missing') done.made.push(id);
      else done.skips.push(came === 'not_finished' ? 'not_failed' : came);
    }),
  );
}

async function retry(store: Store, action: Action, places: readonly Place[], done: PageDone): Promise<void> {
  const newIds = places.map(({ queue, id }) => ({ queue, id: jobIdOfAction(action.id, id) }));
  const existing = await jobStatuses(store, newIds);
  const before = await jobRetries(store, places);
  const missing: Place[] = [];
  for (const [index, place] of places.entries()) {
    const [newId, retriedAs] = [newIds[index]?.id as string, before[index] ?? null];
    // Made before a crash. Its BullMQ entry, or all of it, may be gone if it has ended: it must not be added once more.
    if (existing[index] !== null || retriedAs === newId) done.made.push(newId);
    else if (retriedAs !== null) done.skips.push('retried');
    else missing.push(place);
  }
  for (const part of await bySize(store, missing)) {
    const jobs: NewJob[] = [];
    const found = await readMany(store, part, false);
    for (let gone = found.length; gone < part.length; gone++) done.skips.push('gone');
    for (const { job } of found) {
      try {
        const { edit, key } = action;
        const again = edit === null ? sameAgain(job, key) : editedJob(store.config, job, edit, key);
        jobs.push({ ...again, id: jobIdOfAction(action.id, job.id), once: true });
      } catch (error) {
        if (!(error instanceof InvalidRequestError)) throw error;
        done.errors.push({ id: job.id, message: error.message.slice(0, MESSAGE_CHARACTERS).toWellFormed() });
      }
    }
    const replies = await submit(store, jobs);
    for (const reply of replies) if (reply instanceof ShedError) throw reply;
    for (const [index, { id = '', retryOf }] of jobs.entries()) {
      const reply = replies[index];
      if (reply instanceof ConflictError) done.skips.push('retried');
      else if (reply instanceof Error) done.errors.push({ id: retryOf ?? '', message: reply.message });
      else done.made.push(id);
    }
  }
}

/** Parts whose requests are together not too large to be held; at least one job each. */
async function bySize(store: Store, places: readonly Place[]): Promise<Place[][]> {
  const parts: Place[][] = [];
  let [bytes, index] = [Number.POSITIVE_INFINITY, 0];
  for await (const [size] of readFields(store, places, ['bytes'])) {
    bytes += Number(size ?? 0);
    if (bytes > READ_BYTES) {
      parts.push([]);
      bytes = Number(size ?? 0);
    }
    parts.at(-1)?.push(places[index++] as Place);
  }
  return parts;
}
