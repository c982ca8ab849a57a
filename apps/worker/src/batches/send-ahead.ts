/**
 * The leaders of a batch are sent before all others, which wait until those have ended: then their beginnings are
 * cached. Bounded: leaders that take longer hold nobody up. Can be repeated after a crash: they are the same jobs again,
 * and the bound is counted from when the batch began.
 */
import { type NewJob, readCheckedLine } from '@millrace/core';
import { type Batch, readBatch } from '@millrace/queue';
import { paused } from '../paused.ts';
import type { BatchTerms } from './keep-batches.ts';
import { readInput } from './read-input.ts';
import { goesOn, jobOfLine, storeLines } from './store-lines.ts';

const MOST_WAIT_MS = 30_000;
/** Of the batch's time: one that has a minute waits no half of it. */
const MOST_SHARE = 0.1;
const LOOK_MS = 100;

/** @returns whether the others may follow; false: the batch does not go on, or this process stops */
export async function sendAhead(terms: BatchTerms, batch: Batch): Promise<boolean> {
  const { store, signal } = terms;
  // Some others follow already: it was done before a crash.
  if (batch.leaders.length === 0 || batch.enqueued > 0) return true;
  const waitMs = Math.min(MOST_WAIT_MS, MOST_SHARE * (batch.expires_at - batch.created_at));
  // By this machine's clock too, should it and Redis's be apart.
  const until = Math.min(batch.turned.in_progress ?? 0, Date.now()) + waitMs;
  if (Date.now() >= until) return true;
  if (!(await storeLines(terms, batch, await leadingJobs(terms, batch)))) return false;
  do {
    const { status, completed = 0, failed = 0 } = (await readBatch(store, batch.id)) ?? {};
    if (!goesOn(batch, status)) return false;
    // So far no others are counted.
    if (completed + failed >= batch.leaders.length) return true;
  } while (Date.now() < until && (await paused(LOOK_MS, signal)));
  return !signal.aborted;
}

async function leadingJobs(terms: BatchTerms, batch: Batch): Promise<NewJob[]> {
  const places = new Set(batch.leaders);
  const jobs: NewJob[] = [];
  let place = 0;
  for await (const { parsed } of readInput(terms.store, terms.files, batch, readCheckedLine)) {
    if (places.has(place) && !(parsed instanceof Error)) jobs.push(jobOfLine(terms, batch, parsed, place));
    place++;
    if (jobs.length === places.size) break;
  }
  return jobs;
}
