/**
 * Looks after the batches that have not ended: one worker at a time works at one, and whoever comes after a crash carries
 * on. Each step can be repeated: a line is the same job however often it is added, and files are whole or not at all.
 */
import type { Log } from '@millrace/core';
import type { FileStorage } from '@millrace/files';
import { type Batch, holdBatch, openBatches, type Store, turnBatch } from '@millrace/queue';
import { nowAndThen } from '../now-and-then.ts';
import { cancelJobs } from './cancel-jobs.ts';
import { finalise } from './finalise.ts';
import { takeIn } from './take-in.ts';

const LOOK_EVERY_MS = 500;
/** After a crash somebody else carries on by then. */
const HOLD_MS = 10_000;
const HOLD_AGAIN_MS = 3000;
/** Batches of one worker at once: they share its event loop with its jobs. */
const AT_ONCE = 2;
const STOP_BOUND_MS = 2000;

export interface BatchTerms {
  store: Store;
  files: FileStorage;
  log: Log;
  /** Aborted when the process stops, or another one has taken the batch over. */
  signal: AbortSignal;
}

export interface Batches {
  stop(): Promise<void>;
}

export function keepBatches(store: Store, files: FileStorage, holder: string, log: Log): Batches {
  const tell = nowAndThen((error) => log.warn({ err: error }, 'A batch could not be looked after; trying again'));
  const over = new AbortController();
  const working = new Map<string, Promise<void>>();

  const work = async (batch: Batch): Promise<void> => {
    if (!(await holdBatch(store, batch.id, holder, HOLD_MS))) return;
    const lost = new AbortController();
    const signal = AbortSignal.any([over.signal, lost.signal]);
    const hold = setInterval(() => {
      holdBatch(store, batch.id, holder, HOLD_MS).then(
        (mine) => mine || lost.abort(),
        () => lost.abort(),
      );
    }, HOLD_AGAIN_MS);
    try {
      await step({ store, files, log, signal }, batch);
    } finally {
      clearInterval(hold);
      if (!lost.signal.aborted) await holdBatch(store, batch.id, holder, 0);
    }
  };

  let looking = false;
  const look = async (): Promise<void> => {
    if (looking || store.redis.status !== 'ready') return;
    looking = true;
    try {
      for (const batch of await openBatches(store)) {
        if (working.size >= AT_ONCE) break;
        if (working.has(batch.id) || !isDue(batch)) continue;
        const done = work(batch)
          .catch(tell)
          .finally(() => working.delete(batch.id));
        working.set(batch.id, done);
      }
    } catch (error) {
      tell(error as Error);
    } finally {
      looking = false;
    }
  };
  const timer = setInterval(() => void look(), LOOK_EVERY_MS);
  timer.unref();
  return {
    stop: async () => {
      clearInterval(timer);
      over.abort();
      let bound: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        bound = setTimeout(resolve, STOP_BOUND_MS);
      });
      await Promise.race([Promise.all(working.values()), late]);
      clearTimeout(bound);
    },
  };
}

/** Whether there is anything to do at it but to wait for its jobs. */
function isDue(batch: Batch): boolean {
  return batch.status !== 'in_progress' || isToBeTakenIn(batch) || isToBeFinalised(batch);
}

function isToBeTakenIn({ enqueued, total, expires_at: expires }: Batch): boolean {
  return enqueued < total && Date.now() < expires;
}

function isToBeFinalised(batch: Batch): boolean {
  return batch.completed + batch.failed >= batch.enqueued && !isToBeTakenIn(batch);
}

async function step(terms: BatchTerms, batch: Batch): Promise<void> {
  const { store } = terms;
  switch (batch.status) {
    case 'validating':
      return takeIn(terms, batch);
    case 'in_progress':
      if (isToBeTakenIn(batch)) return takeIn(terms, batch);
      if (await turnBatch(store, batch, ['in_progress'], 'finalizing')) await finalise(terms, batch);
      return;
    case 'cancelling':
      await cancelJobs(terms, batch);
      return finalise(terms, batch);
    case 'finalizing':
      return finalise(terms, batch);
    default:
      return;
  }
}
