/**
 * What the overview shows, read in one go. Reading never fails: while Redis is away the snapshot says so and keeps the
 * last figures, with the time they were read.
 */
import { type Job, ShedError } from '@millrace/core';
import {
  type BreakerStatus,
  countQueues,
  type Durability,
  type LimitsStatus,
  lastFailures,
  type QueueCounts,
  readBreakers,
  readCounters,
  readLimits,
  type Store,
} from '@millrace/queue';
import { FAILURES_SHOWN, MESSAGE_CHARACTERS } from './bounds.ts';
import { excerpt, oneLine } from './excerpt.ts';

export interface FailureRow {
  id: string;
  queue: string;
  model: string | null;
  finishedAt: number;
  code: string;
  message: string;
  attempts: number;
}

export interface RedisState {
  reachable: boolean;
  version: string | null;
  durability: Durability | null;
  /** Why Millrace must not use this server, in words for the operator. */
  unfit: string | null;
}

export type QueueTotals = ReadonlyMap<string, ReadonlyMap<string, number>>;

export interface Snapshot {
  /** Milliseconds of this process's clock. */
  at: number;
  redis: RedisState;
  /** When `queues`, `totals`, `limits` and `failures` were read; null: not yet. */
  readAt: number | null;
  queues: readonly QueueCounts[];
  /** What the queues have counted since their beginning, by queue and field. */
  totals: QueueTotals;
  limits: LimitsStatus | null;
  /** By upstream. */
  breakers: ReadonlyMap<string, BreakerStatus>;
  failures: readonly FailureRow[];
  failuresReadAt: number;
}

/** The failures are records of any size: they are read again when their number changed, or after this. */
const FAILURES_MAX_AGE_MS = 10_000;
const CODE_CHARACTERS = 80;

/** Returns a function that reads a snapshot. `unfit` tells why the server may not be used, if so. */
export function openSnapshots(store: Store, unfit: () => string | null): () => Promise<Snapshot> {
  let last: Pick<Snapshot, 'readAt' | 'queues' | 'totals' | 'limits' | 'breakers' | 'failures' | 'failuresReadAt'> = {
    readAt: null,
    queues: [],
    totals: new Map(),
    limits: null,
    breakers: new Map(),
    failures: [],
    failuresReadAt: 0,
  };
  let troubled = false;

  const read = async (): Promise<void> => {
    const { guard } = store.liveness;
    const [queues, totals, limits, breakers] = await guard(() =>
      Promise.all([countQueues(store), readCounters(store), readLimits(store), readBreakers(store)]),
    );
    const now = Date.now();
    const stale = sumFailed(queues) !== sumFailed(last.queues) || now - last.failuresReadAt >= FAILURES_MAX_AGE_MS;
    const failures = stale ? (await guard(() => lastFailures(store, FAILURES_SHOWN))).map(failureRow) : last.failures;
    last = {
      readAt: now,
      queues,
      totals,
      limits,
      breakers,
      failures,
      failuresReadAt: stale ? now : last.failuresReadAt,
    };
  };

  return async () => {
    let reachable = true;
    try {
      await read();
      troubled = false;
    } catch (error) {
      reachable = false;
      // That Redis is away is the store's to log; anything else is said once, not every second.
      if (!troubled && !(error instanceof ShedError)) store.log.error({ err: error }, 'The figures could not be read');
      troubled = true;
    }
    const server = store.server();
    return {
      ...last,
      at: Date.now(),
      redis: {
        reachable,
        version: server?.version ?? null,
        durability: server?.durability ?? null,
        unfit: server === null ? unfit() : null,
      },
    };
  };
}

function sumFailed(queues: readonly QueueCounts[]): number {
  return queues.reduce((sum, queue) => sum + queue.failed, 0);
}

function failureRow(job: Job): FailureRow {
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
