/**
 * The results of this process's calls that Redis has not been told yet, in an order that does not mislead: a failure is
 * quick where an answer takes a minute, so of 600 calls that start together and of which 5 % fail, the first thirty
 * results are failures. Therefore a call that still runs when a *later started* one fails counts as well, as one that
 * has not failed in that time (in statistics: a right-censored observation). The share is then one of calls started.
 *
 * For the same reason Redis takes results in the order they are told, not by when they ended: each process tells its
 * own without gaps, while the latest by the clock would be failures mostly, since these are told first.
 */
import { SAMPLE_CALLS } from './pace-of-breaker.ts';

const SUCCESS = '+';
const FAILURE = '-';
const OUTLIVED = '~';
const NO_VERDICT = '0';

/** More calls in flight than any process has; beyond, the oldest are not counted before they end. */
const MAX_RUNNING = 10_000;

export interface Tally {
  /** @param call the same object is given to `ended` */
  started(call: object): void;
  /** @param ok null: it ended without telling anything of the upstream (it was called off) */
  ended(call: object, ok: boolean | null): void;
  /** Something that changes what may start, or may do so: to be told at once. */
  urgent(): boolean;
  empty(): boolean;
  /** The results so far, oldest first, a character each; they are then forgotten. */
  take(): string;
  /** Another time begins: what has started before is of no interest. */
  clear(): void;
}

/** @param recovering whether every success counts, because it lets others start */
export function openTally(recovering: () => boolean): Tally {
  /** In the order they started; those whose result is still to be counted. */
  const running = new Set<object>();
  let results = '';

  const add = (mark: string): void => {
    // The rate is that of the latest calls: more of them than the sample holds would say nothing more.
    results = (results + mark).slice(-SAMPLE_CALLS);
  };
  const countOlderThan = (failed: object): void => {
    if (!running.has(failed)) return;
    for (const call of running) {
      if (call === failed) break;
      running.delete(call);
      add(OUTLIVED);
    }
  };

  return {
    started: (call) => {
      const [oldest] = running.size < MAX_RUNNING ? [] : running;
      if (oldest !== undefined) running.delete(oldest);
      running.add(call);
    },
    ended: (call, ok) => {
      if (ok === false) countOlderThan(call);
      const uncounted = running.delete(call);
      if (ok === false) add(FAILURE);
      else if (ok === true && (uncounted || recovering())) add(SUCCESS);
      else if (ok === null && recovering()) add(NO_VERDICT);
    },
    urgent: () => results.includes(FAILURE) || (recovering() && results !== ''),
    empty: () => results === '',
    take: () => {
      const taken = results;
      results = '';
      return taken;
    },
    clear: () => {
      running.clear();
      results = '';
    },
  };
}
