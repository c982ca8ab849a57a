/**
 * Takes no more jobs of a queue than can start soon: as many as are called (by Little's law: starts a second times how
 * long a call takes), and those that start in the next moments. What waits here can neither be overtaken by what is more
 * urgent nor be taken by another worker, and is what a crash has to take back.
 */

import type { Config, QueueConfig } from '@millrace/core';
import { groupOf, type LimitName } from '@millrace/queue';
import type { Admission } from './admission.ts';

/** Starts of so long wait here: longer than it takes to fetch a job, so that no start is late for want of one. */
const AHEAD_MS = 500;
/** And at least so many. BullMQ fetches as many as it may before it hands out the first: it begins with these. */
export const FIRST_AHEAD = 8;
/** Jobs of a model seen so lately may come next, and its limit may have room while another's has none. */
const SEEN_MS = 60_000;

export interface FollowTerms {
  config: Config;
  settings: QueueConfig;
  /** The jobs that were taken and have not ended. */
  running: () => number;
  /** How many may be taken from now on, those that run included. */
  bound: (most: number) => void;
}

/** An admission that counts who waits in it. */
export function followLimit(admission: Admission, { config, settings, running, bound }: FollowTerms): Admission {
  const limit = config.limits[settings.limit];
  let waiting = 0;
  let bounded = Math.min(FIRST_AHEAD, settings.concurrency);
  const starts = countStarts();
  const seen = new Map<LimitName['group'], number>();

  const follow = (): void => {
    const ahead = Math.max(FIRST_AHEAD, Math.ceil((starts.aSecond() * AHEAD_MS) / 1000));
    const wanted = seen.size > 1 ? settings.concurrency : running() - waiting + ahead;
    const most = Math.min(wanted, settings.concurrency);
    if (most === bounded) return;
    bounded = most;
    bound(most);
  };

  return {
    ...admission,
    admit: async (terms, applicant) => {
      const now = performance.now();
      const model = applicant.ticket.model ?? settings.model ?? '';
      seen.set(limit === undefined ? model : groupOf(limit, model), now);
      if (seen.size > 1) for (const [group, at] of seen) if (at < now - SEEN_MS) seen.delete(group);
      waiting++;
      follow();
      try {
        const admitted = await admission.admit(terms, applicant);
        if (admitted.kind === 'admitted') starts.count();
        return admitted;
      } finally {
        waiting--;
        follow();
      }
    },
  };
}

/** Counts the starts of this second and remembers those of the last one. */
function countStarts(): { count(): void; aSecond(): number } {
  let since = 0;
  let current = 0;
  let last = 0;
  const turn = (): void => {
    const second = Math.floor(performance.now() / 1000);
    if (second === since) return;
    last = second === since + 1 ? current : 0;
    current = 0;
    since = second;
  };
  return {
    count: () => {
      turn();
      current++;
    },
    aSecond: () => {
      turn();
      return Math.max(last, current);
    },
  };
}
