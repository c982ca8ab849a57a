/**
 * take: the one place that owns BullMQ Workers. It takes jobs of one queue, runs them, and turns each Outcome into a
 * queue verb. The job record decides; BullMQ is told afterwards, so a crash in between repeats nothing but the telling.
 */
import {
  bullPrefix,
  bullPriority,
  jobPriority,
  jobsWait,
  release,
  type StoreQueue,
  type Ticket,
} from '@millrace/queue';
import { DelayedError, type Job, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import { type AttemptTerms, attemptJob, type Taken, type Verbs } from './attempt-job.ts';
import { FIRST_AHEAD, followLimit } from './follow-limit.ts';
import type { Isolation } from './isolation.ts';
import { keepFetching } from './keep-fetching.ts';
import { checkEveryMs, keepTakingBack, lockAgain } from './locks.ts';
import { nowAndThen } from './now-and-then.ts';
import type { AttemptRun } from './run-attempt.ts';
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

export interface RunnerOptions extends AttemptTerms {
  lockMs: number;
  run: AttemptRun;
  /** This process's one place for suspects, shared by all its runners. */
  isolation: Isolation;
  /** How long jobs may wait with nothing being taken before the BullMQ worker is started again. */
  restartAfterMs: number;
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
/** A limit that is closed for longer is asked again: somebody may have resumed it. */
const HOLD_AT_MOST_MS = 5000;

/** Starts taking jobs of one queue. */
export function startRunner(options: RunnerOptions): Runner {
  const { store, queue, settings, isolation, log } = options;
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
  const verbsOf = (job: Job, token: string): Verbs => ({
    giveBack: () => giveBack(job, token),
    delay: async (ms, unless) => {
      const again = bullPriority(jobPriority(job.priority), true);
      // As BullMQ reads it when the time has come.
      await untilWritten(log, () => store.redis.hset(queue.bull.toKey(job.id as string), 'priority', again));
      await untilWritten(log, () => job.moveToDelayed(Date.now() + ms, token));
      if (unless !== undefined && (await unless())) await release(store, [job.id as string]);
      throw new DelayedError();
    },
    hold: async (ms) => {
      holdFor(ms);
      return giveBack(job, token);
    },
    fail: (reason) => {
      throw new UnrecoverableError(reason.slice(0, REASON_CHARACTERS));
    },
  });

  const admission = followLimit(options.admission, {
    config: store.config,
    settings,
    running: running.size,
    bound: (most) => fetching.bound(most),
  });
  const attempt = attemptJob({ ...options, admission });

  const take = async (job: Job<Ticket>, lockToken?: string): Promise<string> => {
    const id = job.id as string;
    const token = lockToken as string;
    const run = running.add(id, token);
    taken++;
    try {
      const { data: ticket, priority } = job;
      const verbs = verbsOf(job, token);
      return await pass({ id, ticket, priority: jobPriority(priority), controller: run.controller, verbs });
    } finally {
      running.remove(run);
    }
  };

  /** Only its record tells a suspect: it is taken like any job, begins nothing, and begins again where it is isolated. */
  const pass = async (taken: Taken): Promise<string> => {
    // The fetch that was under way when the clock turned out wrong may have brought this one.
    if (draining || fetching.held('clock')) return taken.verbs.giveBack();
    const reply = await attempt(taken, options.run, false);
    if (reply !== 'suspect') return reply;
    const leave = await isolation.enter(taken.controller.signal);
    if (leave === null) return taken.verbs.giveBack();
    try {
      if (draining) return await taken.verbs.giveBack();
      log.warn(
        { job_id: taken.id, queue: queue.name },
        'A job whose workers died more than once runs in a process of its own',
      );
      return await attempt(taken, isolation.run, true);
    } finally {
      leave();
    }
  };

  const tell = nowAndThen((error) =>
    log.warn({ err: error, queue: queue.name }, 'The queue could not be served; trying again'),
  );
  /** Until a limit opens that is closed for long; it is asked again before that, as it may be resumed. */
  let heldUntil: NodeJS.Timeout | null = null;
  const holdFor = (ms: number): void => {
    if (heldUntil !== null || draining) return;
    fetching.hold('limit', true);
    heldUntil = setTimeout(
      () => {
        heldUntil = null;
        fetching.hold('limit', false);
      },
      Math.min(ms, HOLD_AT_MOST_MS),
    );
  };
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
    first: FIRST_AHEAD,
    running: running.size,
    taken: () => taken,
    able: () => store.redis.status === 'ready' && !draining,
    waiting: () => jobsWait(queue),
    wake: lookAgain,
    restartAfterMs: options.restartAfterMs,
    onRestart: (count) =>
      log.error({ queue: queue.name, count }, 'Jobs wait and none is taken: starting the BullMQ worker again'),
    onError: tell,
  });
  const stopTakingBack = keepTakingBack(
    store,
    queue,
    lockMs,
    async () => {
      // A process that stood still finds its own locks expired: what runs here is no orphan.
      await lockAgain(store, queue, running, running.ids(), lockMs);
      return fetching.current().getBackend().moveStalledJobsToWait();
    },
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
      if (heldUntil !== null) clearTimeout(heldUntil);
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

/**
 * BullMQ's loop looks at its concurrency when one of its jobs has ended. With answers that take minutes a limit that has
 * room would wait for that: an end that is none makes it look now.
 */
function lookAgain(worker: Worker): void {
  const { mainLoopQueue } = worker as unknown as { mainLoopQueue: { add(ended: Promise<undefined>): void } | null };
  mainLoopQueue?.add(Promise.resolve(undefined));
}
