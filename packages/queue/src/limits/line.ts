/**
 * The line of one process before a limit. Of all its calls that wait only the first asks, so Redis is asked about twice a
 * call however many wait; who is more urgent goes first, here and among the processes. Nobody polls: a refusal says when
 * to ask again.
 */
import type { LimitConfig } from '@millrace/core';
import type { Redis } from 'ioredis';
import {
  type Grant,
  type LimitName,
  type ReserveReply,
  release,
  reserve,
  type Scarce,
  type Settlement,
} from './reserve.ts';

export interface Want {
  /** Names the reservation; unique. */
  id: string;
  tokens: number;
  /** 0 first … 9. */
  priority: number;
  leaseMs: number;
  signal: AbortSignal;
}

export type Place =
  /** It may start now. */
  | { kind: 'granted'; grant: Grant }
  | { kind: 'aborted' }
  /** Not for so long that waiting here would be in the way of others. */
  | { kind: 'closed'; inMs: number; why: string }
  | { kind: 'never'; tokensPerMinute: number };

/** What the first in line waits for. */
export interface Wait {
  scarce: Scarce | 'closed';
  /** performance.now() when it is asked again. */
  until: number;
}

export interface Line {
  acquire(want: Want): Promise<Place>;
  /** Never throws: a reservation that cannot be released ends with its lease. */
  release(grant: Grant, settled: Settlement): Promise<void>;
  waiting(): { count: number; wait: Wait | null };
  /** Nobody waits any more; all get `aborted`. */
  close(): void;
}

/** A limit that opens within this time is waited for here; else its jobs go back. */
const PATIENCE_MS = 2000;
/** With no call of this process in flight, nothing here tells when another process's has ended. */
const FULL_AGAIN_MS = 100;
/** After an error of Redis's. */
const ERROR_AGAIN_MS = 500;

interface Waiter extends Want {
  order: number;
  settle: (place: Place) => void;
}

/** @param asker names this process; it has one place in the line of processes */
export function openLine(
  redis: Redis,
  name: LimitName,
  config: LimitConfig,
  asker: string,
  onError: (error: Error) => void,
): Line {
  /** Its bound is what the process takes at once. */
  const waiters: Waiter[] = [];
  let order = 0;
  let working = false;
  let wait: Wait | null = null;
  let wake: () => void = () => undefined;

  const leave = (waiter: Waiter): boolean => {
    const at = waiters.indexOf(waiter);
    if (at === -1) return false;
    waiters.splice(at, 1);
    return true;
  };

  /** Until the time is over, or something has changed. */
  const rest = (ms: number, scarce: Wait['scarce']): Promise<void> =>
    new Promise((resolve) => {
      wait = { scarce, until: performance.now() + ms };
      const done = (): void => {
        clearTimeout(timer);
        wait = null;
        wake = () => undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      wake = done;
    });

  const free = (grant: Grant, settled: Settlement): Promise<void> =>
    release(redis, name, config, grant, settled)
      .catch(onError)
      .then(() => wake());

  const start = (waiter: Waiter, inMs: number, grant: Grant): void => {
    const begin = (): void => {
      if (waiter.signal.aborted) {
        void free(grant, UNUSED);
        waiter.settle({ kind: 'aborted' });
      } else waiter.settle({ kind: 'granted', grant });
    };
    if (inMs <= 0) begin();
    else setTimeout(begin, inMs);
  };

  const ask = async (first: Waiter): Promise<void> => {
    let reply: ReserveReply;
    try {
      reply = await reserve(redis, name, config, { ...first, asker });
    } catch (error) {
      onError(error as Error);
      return rest(ERROR_AGAIN_MS, 'closed');
    }
    switch (reply.kind) {
      case 'granted':
        // It may have been called off meanwhile, and has left the line then.
        leave(first);
        return start(first, reply.inMs, reply.grant);
      case 'never':
        if (leave(first)) first.settle(reply);
        return;
      case 'closed':
        if (reply.inMs <= PATIENCE_MS) return rest(reply.inMs, 'closed');
        for (const waiter of waiters.splice(0)) waiter.settle(reply);
        return;
      case 'full':
        return rest(FULL_AGAIN_MS, reply.scarce);
      case 'wait':
        return rest(reply.inMs, reply.scarce);
    }
  };

  const work = async (): Promise<void> => {
    working = true;
    for (let first = waiters[0]; first !== undefined; first = waiters[0]) await ask(first);
    working = false;
  };

  return {
    acquire: (want) =>
      new Promise((resolve) => {
        if (want.signal.aborted) return resolve({ kind: 'aborted' });
        const called = (): void => {
          if (leave(waiter)) waiter.settle({ kind: 'aborted' });
          wake();
        };
        const waiter: Waiter = {
          ...want,
          order: order++,
          settle: (place) => {
            want.signal.removeEventListener('abort', called);
            resolve(place);
          },
        };
        want.signal.addEventListener('abort', called);
        const behind = waiters.findIndex(({ priority }) => priority > want.priority);
        waiters.splice(behind === -1 ? waiters.length : behind, 0, waiter);
        if (behind === 0) wake();
        if (!working) void work();
      }),
    release: free,
    waiting: () => ({ count: waiters.length, wait }),
    close: () => {
      for (const waiter of waiters.splice(0)) waiter.settle({ kind: 'aborted' });
      wake();
    },
  };
}

/** A reservation whose call was not made. */
export const UNUSED: Settlement = {
  tokens: 0,
  requestsLeft: null,
  tokensLeft: null,
  answered: false,
  closeForMs: null,
};
