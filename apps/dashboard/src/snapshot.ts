/**
 * What the overview shows, read in one go. Reading never fails: while Redis is away the snapshot says so and keeps the
 * last figures, with the time they were read.
 */
import { setTimeout } from 'node:timers/promises';
import { type Job, ShedError } from '@millrace/core';
import {
  type BreakerStatus,
  countQueues,
  type LimitsStatus,
  type LiveWorker,
  lastFailures,
  type MinuteFigures,
  type QueueCounts,
  readBreakers,
  readFirstDue,
  readLimits,
  readMinutes,
  readWorkers,
  type Store,
} from '@millrace/queue';
import { CAUSES_SHOWN, FAILURES_SHOWN, MESSAGE_CHARACTERS } from './bounds.ts';
import { excerpt, oneLine } from './excerpt.ts';
import { dayOf, spendOfDay } from './read-cost.ts';
import type { JobIndex } from './search/job-index.ts';
import type { CauseView, FailureView, OverviewView } from './views/overview.ts';

/** All that was read at one time. */
export interface Figures {
  /** ms of this process's clock. */
  readAt: number;
  queues: readonly QueueCounts[];
  limits: LimitsStatus;
  /** By upstream. */
  breakers: ReadonlyMap<string, BreakerStatus>;
  workers: readonly LiveWorker[];
  /** Of queues whose jobs are all delayed, ms by Redis's clock. */
  firstDue: ReadonlyMap<string, number>;
  /** By queue, the last hour and the present minute, which is the last. */
  minutes: ReadonlyMap<string, readonly MinuteFigures[]>;
  /** Since midnight UTC. */
  spent: { usd: number; unknownTokens: number };
  failures: readonly FailureView[];
  /** Of the last hour, the most frequent first; null: there is no index to tell. */
  causes: readonly CauseView[] | null;
}

export interface Snapshot {
  redis: OverviewView['redis'];
  /** Null: nothing was read yet. */
  figures: Figures | null;
}

/** The failures are records of any size: they are read again when their number changed, or after this. */
const FAILURES_MAX_AGE_MS = 10_000;
/** A day's figures are many fields, causes are counted anew: nobody sees the difference within this time. */
const SLOW_MAX_AGE_MS = 5000;
/** An index that is there answers far sooner. */
const FIRST_CAUSES_MS = 200;
/** Who asks within this time of another, as each page does for its figures and its lines, is told the same. */
const SHARED_MS = 500;
const CODE_CHARACTERS = 80;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** The trend of a cause: five minutes each. */
const CAUSE_BUCKETS = 12;
/** The lines of the charts. */
const MINUTES_READ = 60;

/** Returns a function that reads a snapshot. `unfit` tells why the server may not be used, if so. */
export function openSnapshots(store: Store, index: JobIndex, unfit: () => string | null): () => Promise<Snapshot> {
  const { guard } = store.liveness;
  const queues = [...store.queues.values()];
  let last: Figures | null = null;
  let failuresReadAt = 0;
  let slowReadAt = 0;
  let troubled = false;
  let causes: readonly CauseView[] | null = null;
  let asking: Promise<void> | null = null;
  /** Beside the reading: an index that is being made answers late, and what Redis tells must not wait long for it. */
  const askCauses = async (now: number): Promise<void> => {
    asking ??= causesOf(index, now).then((told) => {
      causes = told;
      asking = null;
    });
    if (causes === null) await Promise.race([asking, setTimeout(FIRST_CAUSES_MS, undefined, { ref: false })]);
  };

  const read = async (): Promise<Figures> => {
    const [counts, limits, breakers, workers] = await guard(() =>
      Promise.all([countQueues(store), readLimits(store), readBreakers(store), readWorkers(store)]),
    );
    const minute = Math.floor(limits.now / MINUTE_MS);
    const readAt = Date.now();
    const again = last === null || sumFailed(counts) !== sumFailed(last.queues);
    const failuresStale = again || readAt - failuresReadAt >= FAILURES_MAX_AGE_MS;
    const slowStale = last === null || readAt - slowReadAt >= SLOW_MAX_AGE_MS;
    const [firstDue, minutes, spent, failures] = await guard(() =>
      Promise.all([
        readFirstDue(store, counts),
        readMinutes(store, queues, minute - MINUTES_READ, minute),
        last === null || slowStale ? spendOfDay(store, dayOf(limits.now)) : last.spent,
        last === null || failuresStale
          ? lastFailures(store, FAILURES_SHOWN).then((jobs) => jobs.map(failureView))
          : last.failures,
      ]),
    );
    if (failuresStale) failuresReadAt = readAt;
    if (slowStale) {
      slowReadAt = readAt;
      await askCauses(limits.now);
    }
    return {
      ...{ readAt, queues: counts, limits, breakers, workers, firstDue, minutes, spent, failures, causes },
    };
  };

  const take = async (): Promise<Snapshot> => {
    let reachable = true;
    try {
      last = await read();
      troubled = false;
    } catch (error) {
      reachable = false;
      // That Redis is away is the store's to log; anything else is said once, not every second.
      if (!troubled && !(error instanceof ShedError)) store.log.error({ err: error }, 'The figures could not be read');
      troubled = true;
    }
    const server = store.server();
    return {
      redis: {
        reachable,
        version: server?.version ?? null,
        durability: server?.durability ?? null,
        unfit: server === null ? unfit() : null,
      },
      figures: last,
    };
  };

  let taken: { at: number; snapshot: Promise<Snapshot> } | null = null;
  return () => {
    const now = performance.now();
    if (taken === null || now - taken.at >= SHARED_MS) taken = { at: now, snapshot: take() };
    return taken.snapshot;
  };
}

function sumFailed(queues: readonly QueueCounts[]): number {
  return queues.reduce((sum, queue) => sum + queue.failed, 0);
}

/** @param now ms by Redis's clock */
async function causesOf(index: JobIndex, now: number): Promise<readonly CauseView[] | null> {
  try {
    const span = { from: now - HOUR_MS, until: now + MINUTE_MS, buckets: CAUSE_BUCKETS };
    const { total, cohorts } = await index.cohorts(span);
    return cohorts.slice(0, CAUSES_SHOWN).map(({ cause, code, message, count, trend, lastAt }) => ({
      ...{ cause, count, trend, lastAt, share: count / total },
      code: excerpt(code, CODE_CHARACTERS).text,
      message: oneLine(message, MESSAGE_CHARACTERS),
    }));
  } catch {
    // Why there is none is the index's to say, where one looks for jobs; the last failures are told all the same.
    return null;
  }
}

function failureView(job: Job): FailureView {
  return {
    id: job.id,
    queue: job.queue,
    model: job.model,
    finishedAt: job.finished_at ?? job.created_at,
    code: excerpt(String(job.error?.code ?? 'unknown'), CODE_CHARACTERS).text,
    message: oneLine(String(job.error?.message ?? ''), MESSAGE_CHARACTERS),
    attempts: job.attempts.length,
  };
}
