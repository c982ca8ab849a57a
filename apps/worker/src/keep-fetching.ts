/**
 * One BullMQ worker at a time fetches a queue's jobs: held while there is a reason against it, and replaced when it
 * fetches nothing though jobs wait. What runs in a replaced one goes on there to its end.
 */
import { type HoldReason, takeOrHold } from './take-or-hold.ts';
import { watchTaking } from './watchdog.ts';

/** What is needed of a BullMQ worker. */
interface Fetcher {
  concurrency: number;
  pause(doNotWaitForJobs: boolean): Promise<void>;
  resume(): Promise<void>;
  close(): Promise<void>;
}

export interface FetchingTerms<F extends Fetcher> {
  open: (concurrency: number) => F;
  concurrency: number;
  /** How many it begins with. */
  first: number;
  /** Jobs that run here now, and that were taken so far. */
  running: () => number;
  taken: () => number;
  /** False while nothing can be fetched anyway: Redis is away. */
  able: () => boolean;
  /** Whether there is anything to fetch. */
  waiting: () => Promise<boolean>;
  /** Has it look at its concurrency, which was raised. */
  wake: (worker: F) => void;
  restartAfterMs: number;
  onRestart: (count: number) => void;
  onError: (error: Error) => void;
}

export interface Fetching<F> {
  current(): F;
  hold(reason: HoldReason, held: boolean): void;
  /** For any reason, or for this one. */
  held(reason?: HoldReason): boolean;
  restarts(): number;
  /** From now on no more than so many are taken, those that run included. */
  bound(most: number): void;
  /** Fetches no more; resolves when all that was fetched has ended. */
  close(): Promise<unknown>;
}

/** Opens the first worker, which fetches at once. */
export function keepFetching<F extends Fetcher>(terms: FetchingTerms<F>): Fetching<F> {
  let worker = terms.open(Math.min(terms.first, terms.concurrency));
  let restarts = 0;
  /** Replaced ones whose last jobs have not ended: as many as there were restarts within a job's time. */
  const leaving = new Set<Promise<void>>();
  const taking = takeOrHold(
    () => void worker.pause(true),
    () => void worker.resume(),
  );
  const restart = (): void => {
    terms.onRestart(++restarts);
    const old = worker;
    const fresh = terms.open(Math.max(1, Math.min(terms.first, terms.concurrency - terms.running())));
    worker = fresh;
    const left = old.close().finally(() => {
      leaving.delete(left);
      fresh.concurrency = terms.concurrency;
    });
    leaving.add(left);
    left.catch(terms.onError);
  };
  const watched = {
    taken: terms.taken,
    free: () => terms.able() && !taking.held() && terms.running() < terms.concurrency,
    waiting: terms.waiting,
  };
  const stopWatching = watchTaking(watched, terms.restartAfterMs, restart, terms.onError);
  return {
    current: () => worker,
    hold: taking.hold,
    held: taking.held,
    restarts: () => restarts,
    bound: (most) => {
      const raised = most > worker.concurrency && terms.running() < most;
      // While jobs of a replaced worker run, the new one may take only what is left.
      if (leaving.size === 0) worker.concurrency = most;
      if (raised) terms.wake(worker);
    },
    close: () => {
      stopWatching();
      return Promise.all([worker.close(), ...leaving]);
    },
  };
}
