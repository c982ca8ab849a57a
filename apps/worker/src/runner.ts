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
  failPoison,
  finishByOutcome,
  jobsWait,
  type Store,
  type StoreQueue,
  settleAttempt,
  type WriteReply,
  writeCheckpoint,
} from '@millrace/queue';
import { DelayedError, type Job, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import type { Gate } from './gate.ts';
import { keepFetching } from './keep-fetching.ts';
import { checkEveryMs, keepTakingBack, lockAgain } from './locks.ts';
import { logAttempt } from './log-attempt.ts';
import { nowAndThen } from './now-and-then.ts';
import type { AttemptInput, AttemptRun } from './run-attempt.ts';
import { trackRunning } from './running.ts';
import type { HoldReason } from './take-or-hold.ts';
import { untilWritten } from './until-written.ts';
import { within } from './within.ts';

export interface Runner {
  queue: StoreQueue;
  inFlight(): number;
  /** The jobs that run here now. */
  ids(): string[];
  /** Stops taking, waits `graceMs` for what runs, then gives the rest back. Bounded. */
  drain(graceMs: number): Promise<void>;
  /** Stops the attempt of a job that was cancelled, if it runs here. */
  cancel(id: string): void;
  /** Takes no more jobs while there is a reason; what runs goes on. */
  hold(reason: HoldReason, held: boolean): void;
  /** How often its BullMQ worker had to be started again. */
  restarts(): number;
}

export interface RunnerOptions {
  store: Store;
  queue: StoreQueue;
  settings: QueueConfig;
  lockMs: number;
  /** This process, as it is named on attempts. */
  worker: string;
  run: AttemptRun;
  /** This process's one gate, shared by all its runners. */
  gate: Gate;
  /** How long jobs may wait with nothing being taken before the BullMQ worker is started again. */
  restartAfterMs: number;
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
/** From this attempt on all count: some hours of an upstream that is away, at the default backoff; the record is bounded. */
const MOST_UNCOUNTED = 200;
/** A suspect that met another one here is offered to the other workers meanwhile. */
const ALONE_AGAIN_MS = 3000;

/** Starts taking jobs of one queue. */
export function startRunner(options: RunnerOptions): Runner {
  const { store, queue, settings, gate, log } = options;
  const lockMs = Math.ceil(options.lockMs);
  const running = trackRunning();
  let draining = false;
  let taken = 0;

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
    taken++;
    try {
      return await pass(job, token, run.controller);
    } finally {
      running.remove(run);
    }
  };

  /** Only its record tells a suspect: it passes the gate like any job, begins nothing, and passes it again alone. */
  const pass = async (job: Job, token: string, controller: AbortController): Promise<string> => {
    const leave = await gate.enter(controller.signal);
    if (leave === null) return giveBack(job, token);
    let reply: string;
    try {
      // The fetch that was under way when the clock turned out wrong may have brought this one.
      const unfit = draining || fetching.held('clock');
      reply = unfit ? await giveBack(job, token) : await attempt(job, token, controller, false);
    } finally {
      leave();
    }
    return reply === 'suspect' ? passAlone(job, token, controller) : reply;
  };

  const passAlone = async (job: Job, token: string, controller: AbortController): Promise<string> => {
    const leave = await gate.enterAlone(controller.signal);
    if (leave === null) return giveBack(job, token);
    if (leave === 'busy') return delay(job, token, ALONE_AGAIN_MS);
    try {
      if (draining) return await giveBack(job, token);
      log.warn({ job_id: job.id, queue: queue.name }, 'A job whose workers died more than once runs alone');
      return await attempt(job, token, controller, true);
    } finally {
      leave();
    }
  };

  /** Nobody waits for the response of a job that has ended, or ends now. */
  const abandon = async (id: string, checkpoint: Reattachable | null): Promise<void> => {
    if (checkpoint === null) return;
    await options.abandon(checkpoint);
    await dropCheckpoint(store, queue, id);
  };

  const attempt = async (job: Job, token: string, controller: AbortController, alone: boolean): Promise<string> => {
    const id = job.id as string;
    const begun = await untilWritten(log, () => beginAttempt(store, queue, id, options.worker, alone));
    switch (begun.kind) {
      case 'missing':
      case 'suspect':
        return begun.kind;
      case 'terminal':
        await abandon(id, begun.checkpoint);
        return begun.kind;
      case 'poison':
        await untilWritten(log, () => failPoison(store, queue, id, begun.crashes));
        log.error({ job_id: id, queue: queue.name, count: begun.crashes }, 'A job that kills its workers was failed');
        await abandon(id, begun.checkpoint);
        throw new UnrecoverableError('poison');
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
        const countsAsAttempt = outcome.countsAsAttempt || begun.epoch >= MOST_UNCOUNTED;
        const counted = begun.counted + (countsAsAttempt ? 1 : 0);
        const unknown = outcome.possiblyBilled && settings.whenUnknown === 'fail';
        if (unknown || counted >= settings.attempts) {
          // What could have been re-attached is given up now: it may be on the bill, and nobody wants it any more.
          if (outcome.reattach !== undefined) await options.abandon(outcome.reattach);
          const possiblyBilled = outcome.possiblyBilled || outcome.reattach !== undefined;
          return applyOutcome(job, token, begun, { ...outcome, kind: 'failed', possiblyBilled });
        }
        // What uses up no attempt may go on for long, and must not become a stream of them.
        const ms = backoffMs(countsAsAttempt ? counted : begun.epoch, settings.backoff, outcome.afterMs);
        const settled = { ...outcome, countsAsAttempt };
        const reply = await untilWritten(log, () => settleAttempt(store, queue, id, begun.epoch, settled, ms));
        return reply === 'written' ? delay(job, token, ms) : reply;
      }
      case 'interrupted': {
        const reply = await untilWritten(log, () => settleAttempt(store, queue, id, begun.epoch, outcome, 0));
        return reply === 'written' ? giveBack(job, token) : reply;
      }
    }
  };

  const tell = nowAndThen((error) =>
    log.warn({ err: error, queue: queue.name }, 'The queue could not be served; trying again'),
  );
  let resting: NodeJS.Timeout | null = null;
  const openWorker = (concurrency: number): Worker => {
    const opened = new Worker(queue.name, take, {
      connection: store.redis,
      prefix: bullPrefix(queue.name),
      concurrency,
      lockDuration: lockMs,
      stalledInterval: checkEveryMs(lockMs),
      skipStalledCheck: true,
      maxStalledCount: NEVER,
      runRetryDelay: RETRY_LOOP_MS,
      drainDelay: DRAIN_DELAY_SECONDS,
      name: options.worker,
    });
    opened.on('error', (error) => {
      tell(error);
      // BullMQ waits before it tries again when the connection is lost, but not when Redis refuses (disk full, say).
      if (error.name !== 'ReplyError' || resting !== null || draining) return;
      fetching.hold('refused', true);
      resting = setTimeout(() => {
        resting = null;
        fetching.hold('refused', false);
      }, RETRY_LOOP_MS);
    });
    opened.on('lockRenewalFailed', (ids) => {
      log.warn({ queue: queue.name, count: ids.length }, 'Locks ran out before they were renewed');
      lockAgain(store, queue, running, ids, lockMs).catch(tell);
    });
    return opened;
  };
  const fetching = keepFetching({
    open: openWorker,
    concurrency: settings.concurrency,
    running: running.size,
    taken: () => taken,
    able: () => store.redis.status === 'ready' && !draining,
    waiting: () => jobsWait(queue),
    restartAfterMs: options.restartAfterMs,
    onRestart: (count) =>
      log.error({ queue: queue.name, count }, 'Jobs wait and none is taken: starting the BullMQ worker again'),
    onError: tell,
  });
  const stopTakingBack = keepTakingBack(
    store,
    queue,
    lockMs,
    () => fetching.current().getBackend().moveStalledJobsToWait(),
    log,
    tell,
  );

  return {
    queue,
    inFlight: running.size,
    ids: running.ids,
    cancel: (id) => running.stop({ kind: 'cancelled' }, id),
    hold: fetching.hold,
    restarts: fetching.restarts,
    drain: async (graceMs) => {
      draining = true;
      if (resting !== null) clearTimeout(resting);
      stopTakingBack();
      const closed = fetching.close();
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
