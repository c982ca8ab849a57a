/**
 * take: the one place that owns BullMQ Workers. It takes jobs of one queue, runs them, and turns each Outcome into a
 * queue verb. The job record decides; BullMQ is told afterwards, so a crash in between repeats nothing but the telling.
 */
import { backoffMs, type Log, type Outcome, type QueueConfig, type Reattachable } from '@millrace/core';
import {
  beginAttempt,
  bullPrefix,
  dropCheckpoint,
  failPastDeadline,
  finishByOutcome,
  type Store,
  type StoreQueue,
  settleAttempt,
  type WriteReply,
  writeCheckpoint,
} from '@millrace/queue';
import { DelayedError, type Job, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import { checkEveryMs, keepTakingBack, lockAgain } from './locks.ts';
import { nowAndThen } from './now-and-then.ts';
import type { AttemptInput, AttemptRun } from './run-attempt.ts';
import { trackRunning } from './running.ts';
import { untilWritten } from './until-written.ts';

export interface Runner {
  inFlight(): number;
  /** Stops taking, waits `graceMs` for what runs, then gives the rest back. Bounded. */
  drain(graceMs: number): Promise<void>;
  /** Stops the attempt of a job that was cancelled, if it runs here. */
  cancel(id: string): void;
}

export interface RunnerOptions {
  store: Store;
  queue: StoreQueue;
  settings: QueueConfig;
  lockMs: number;
  /** This process, as it is named on attempts. */
  worker: string;
  run: AttemptRun;
  /** Cancels a response that is still made upstream though its job has ended. Bounded, never throws. */
  abandon: (response: Reattachable) => Promise<unknown>;
  log: Log;
}

/** A stall is counted in our attempts; BullMQ must never fail a job by itself, least of all a bystander. */
const NEVER = 1_000_000_000;
/** After a lost connection or a refusal of Redis's: how soon BullMQ's loop tries again. */
const RETRY_LOOP_MS = 500;
/** The wait of one blocking fetch: how long an idle worker may need to notice what no marker announced. */
const DRAIN_DELAY_SECONDS = 2;
/** How long the verbs of given-back jobs and the hanging up may take once the grace is over. */
const CLOSE_BOUND_MS = 5000;
/** BullMQ shows this much of a failure; the whole of it is on the record. */
const REASON_CHARACTERS = 500;

/** Starts taking jobs of one queue. */
export function startRunner(options: RunnerOptions): Runner {
  const { store, queue, settings, log } = options;
  const lockMs = Math.ceil(options.lockMs);
  const running = trackRunning();
  let draining = false;

  const giveBack = async (job: Job, token: string): Promise<never> => {
    await untilWritten(log, () => job.moveToWait(token));
    // A prioritised job given back rings no bell; without this an idle peer would notice it seconds later.
    await untilWritten(log, () => store.redis.zadd(queue.bull.toKey('marker'), 0, '0'));
    throw new WaitingError();
  };
  const delay = async (job: Job, token: string, ms: number): Promise<never> => {
    await untilWritten(log, () => job.moveToDelayed(Date.now() + ms, token));
    throw new DelayedError();
  };

  const take = async (job: Job, lockToken?: string): Promise<string> => {
    const id = job.id as string;
    const token = lockToken as string;
    const run = running.add(id, token);
    try {
      return draining ? await giveBack(job, token) : await attempt(job, token, run.controller);
    } finally {
      running.remove(run);
    }
  };

  const attempt = async (job: Job, token: string, controller: AbortController): Promise<string> => {
    const id = job.id as string;
    const begun = await untilWritten(log, () => beginAttempt(store, queue, id, options.worker));
    switch (begun.kind) {
      case 'missing':
        return begun.kind;
      case 'terminal':
        if (begun.checkpoint !== null) {
          await options.abandon(begun.checkpoint);
          await dropCheckpoint(store, queue, id);
        }
        return begun.kind;
      case 'early':
        return delay(job, token, begun.inMs);
      case 'expired':
        await untilWritten(log, () => failPastDeadline(store, queue, id));
        throw new UnrecoverableError('deadline_exceeded');
      case 'damaged':
        return applyOutcome(job, token, begun, DAMAGED);
      case 'begun': {
        const startedAt = performance.now();
        if (begun.checkpointDamaged) {
          log.warn({ job_id: id, queue: queue.name }, 'A checkpoint could not be read: the job is called again');
        }
        const checkpoint = (response: Reattachable) => writeCheckpoint(store, queue, id, begun.epoch, response);
        const outcome = await runOrFault({ id, queue: queue.name, settings, begun, controller, checkpoint });
        logAttempt(log, id, queue.name, begun.epoch, outcome, performance.now() - startedAt);
        return applyOutcome(job, token, begun, outcome);
      }
    }
  };

  /** A fault of ours must not lose the job: it is tried again like any failure, and bounded like any. */
  const runOrFault = async (input: AttemptInput): Promise<Outcome> => {
    try {
      return await options.run(input);
    } catch (error) {
      log.error({ err: error, job_id: input.id, queue: queue.name }, 'An attempt ended by a fault of ours');
      const message = error instanceof Error ? `${error.name} in the worker` : 'a fault in the worker';
      return {
        kind: 'retry',
        reason: 'internal',
        error: { code: 'internal_error', message },
        afterMs: 0,
        countsAsAttempt: true,
        possiblyBilled: true,
      };
    }
  };

  /** The one exhaustive switch: an Outcome becomes a queue verb. */
  const applyOutcome = async (
    job: Job,
    token: string,
    begun: { epoch: number; counted: number },
    outcome: Outcome,
  ): Promise<string> => {
    const id = job.id as string;
    switch (outcome.kind) {
      case 'completed':
      case 'incomplete':
      case 'cancelled':
        return said(
          await untilWritten(log, () => finishByOutcome(store, queue, id, begun.epoch, outcome)),
          outcome.kind,
        );
      case 'failed': {
        const reply = await untilWritten(log, () => finishByOutcome(store, queue, id, begun.epoch, outcome));
        if (reply !== 'written') return reply;
        throw new UnrecoverableError(`${outcome.error.code}: ${outcome.error.message}`.slice(0, REASON_CHARACTERS));
      }
      case 'retry': {
        const counted = begun.counted + (outcome.countsAsAttempt ? 1 : 0);
        const unknown = outcome.possiblyBilled && settings.whenUnknown === 'fail';
        if (unknown || counted >= settings.attempts)
          return applyOutcome(job, token, begun, { ...outcome, kind: 'failed' });
        const ms = backoffMs(counted, settings.backoff, outcome.afterMs);
        const reply = await untilWritten(log, () => settleAttempt(store, queue, id, begun.epoch, outcome, ms));
        return reply === 'written' ? delay(job, token, ms) : reply;
      }
      case 'interrupted': {
        const reply = await untilWritten(log, () => settleAttempt(store, queue, id, begun.epoch, outcome, 0));
        return reply === 'written' ? giveBack(job, token) : reply;
      }
    }
  };

  const worker = new Worker(queue.name, take, {
    connection: store.redis,
    prefix: bullPrefix(queue.name),
    concurrency: settings.concurrency,
    lockDuration: lockMs,
    stalledInterval: checkEveryMs(lockMs),
    skipStalledCheck: true,
    maxStalledCount: NEVER,
    runRetryDelay: RETRY_LOOP_MS,
    drainDelay: DRAIN_DELAY_SECONDS,
    name: options.worker,
  });
  const tell = nowAndThen((error) =>
    log.warn({ err: error, queue: queue.name }, 'The queue could not be served; trying again'),
  );
  let resting: NodeJS.Timeout | null = null;
  worker.on('error', (error) => {
    tell(error);
    // BullMQ waits before it tries again when the connection is lost, but not when Redis refuses (disk full, say).
    if (error.name !== 'ReplyError' || resting !== null || draining) return;
    void worker.pause(true);
    resting = setTimeout(() => {
      resting = null;
      void worker.resume();
    }, RETRY_LOOP_MS);
  });
  worker.on('lockRenewalFailed', (ids) => {
    log.warn({ queue: queue.name, count: ids.length }, 'Locks ran out before they were renewed');
    lockAgain(store, queue, running, ids, lockMs).catch(tell);
  });
  const stopTakingBack = keepTakingBack(
    store,
    queue,
    lockMs,
    () => worker.getBackend().moveStalledJobsToWait(),
    log,
    tell,
  );

  return {
    inFlight: running.size,
    cancel: (id) => running.stop({ kind: 'cancelled' }, id),
    drain: async (graceMs) => {
      draining = true;
      if (resting !== null) clearTimeout(resting);
      stopTakingBack();
      const closed = worker.close();
      await within(graceMs, Promise.race([closed, running.idle()]));
      running.stop({ kind: 'shutdown' });
      if (!(await within(CLOSE_BOUND_MS, closed))) {
        log.warn(
          { queue: queue.name, count: running.size() },
          'Jobs could not be given back in time; their locks will run out',
        );
      }
    },
  };
}

const DAMAGED: Outcome = {
  kind: 'failed',
  reason: 'internal',
  error: { code: 'damaged_record', message: 'The request as it was stored cannot be read any more.' },
  possiblyBilled: false,
};

/** What BullMQ keeps as the return value: never the answer itself. */
function said(reply: WriteReply, verb: string): string {
  return reply === 'written' ? verb : reply;
}

function logAttempt(log: Log, id: string, queue: string, attempt: number, outcome: Outcome, ms: number): void {
  const level = outcome.kind === 'completed' ? 'info' : 'warn';
  log[level](
    {
      job_id: id,
      queue,
      attempt,
      outcome: outcome.kind,
      ...('reason' in outcome ? { reason: outcome.reason } : {}),
      ...('error' in outcome ? { code: outcome.error.code, upstream_status: outcome.error.upstream_status } : {}),
      ms: Math.round(ms),
      input_tokens: outcome.usage?.input_tokens,
      output_tokens: outcome.usage?.output_tokens,
    },
    'attempt ended',
  );
}

/** True when the promise settled within the time. */
async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  const done = work.then(
    () => true as const,
    () => true as const,
  );
  const result = await Promise.race([done, late]);
  clearTimeout(timer);
  return result;
}
