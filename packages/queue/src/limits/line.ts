/**
 * The line of one process before a limit. Of all its calls that wait only the first asks, so Redis is asked about twice a
 * call however many wait; who is more urgent goes first, here and among the processes. Nobody polls: a refusal says when
 * to ask again.
 */
import type { LimitConfig } from '@millrace/core';
import type { Redis } from 'ioredis';
import { limitKeys } from '../keys.ts';
import {
  type Grant,
  type LimitName,
  type ReserveReply,
  release,
  reserve,
  type Scarce,
  type Settlement,
} from './reserve.ts';
import { openWindow } from './window.ts';

export interface Want {
  /** Names the reservation; unique. */
  id: string;
  tokens: number;
  /** 0 first … 9; beyond that, after every job. */
  priority: number;
  leaseMs: number;
  signal: AbortSignal;
}

export type Place =
  /**
   * It may start now. Without a grant where nothing limits; its release is then only for what limits after all.
   * `waitedFor`: what kept it, or the line it stood in, last; absent: nothing did.
   */
  | { kind: 'granted'; grant: Grant | null; waitedFor?: Wait['scarce'] }
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
  release(grant: Grant | null, settled: Settlement): Promise<void>;
  waiting(): { count: number; wait: Wait | null };
  /** Nobody waits any more; all get `aborted`. */
  close(): void;
}

/** Where nothing limits, Redis is asked so seldom whether that is still so: a 429 elsewhere is heeded by then. */
const FREE_MS = 100;
/** A limit that opens within this time is waited for here; else its jobs go back. */
const PATIENCE_MS = 2000;
/** With no call of this process in flight, nothing here tells when another process's has ended. */
const FULL_AGAIN_MS = 100;
/** What was told may have become less: others have left, or have given back what they did not use. */
const WAIT_AGAIN_MS = 1000;
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
  // So that the limit's models can be listed.
  redis.sadd(limitKeys(name.limit, '').groups, name.group).catch(onError);
  /** Its bound is what the process takes at once. */
  const waiters: Waiter[] = [];
  let order = 0;
  let working = false;
  let wait: Wait | null = null;
  let rests = 0;
  let restedFor: Wait['scarce'] = 'requests';
  let closed = false;
  /** Something has changed while Redis was asked: its reply is no reason to rest. */
  let news = false;
  const note = (): void => {
    news = true;
  };
  let wake: () => void = note;
  /** performance.now() until which nothing is asked. */
  let freeUntil = 0;
  /** Nothing limits but what the upstream bears. */
  let isFree = false;
  const window = openWindow();

  const leave = (waiter: Waiter): boolean => {
    const at = waiters.indexOf(waiter);
    if (at === -1) return false;
    waiters.splice(at, 1);
    return true;
  };

  /** Until the time is over, or something has changed. */
  const rest = (ms: number, scarce: Wait['scarce']): Promise<void> =>
    new Promise((resolve) => {
      if (news) return resolve();
      wait = { scarce, until: performance.now() + ms };
      rests++;
      restedFor = scarce;
      const done = (): void => {
        clearTimeout(timer);
        wait = null;
        wake = note;
        resolve();
      };
      const timer = setTimeout(done, Math.min(ms, WAIT_AGAIN_MS));
      wake = done;
    });

  const free = async (grant: Grant | null, settled: Settlement): Promise<void> => {
    const limits = settled.requestsLeft !== null || settled.tokensLeft !== null || settled.closeForMs !== null;
    const left = settled.keep !== true && (grant === null || grant.windowed === true);
    if (left) window.leave(settled.bore ?? null, settled.tookMs ?? 0);
    if (limits) freeUntil = 0;
    if (grant === null && !limits) return wake();
    await release(redis, name, config, grant ?? NO_GRANT, settled).catch(onError);
    wake();
  };

  const start = (waiter: Waiter, inMs: number, grant: Grant): void => {
    const begin = (): void => {
      if (closed || waiter.signal.aborted) {
        void free(grant, UNUSED);
        waiter.settle({ kind: 'aborted' });
      } else waiter.settle({ kind: 'granted', grant });
    };
    if (inMs <= 0) begin();
    else setTimeout(begin, inMs);
  };

  const ask = async (first: Waiter): Promise<void> => {
    let reply: ReserveReply;
    const windowed = isFree;
    news = false;
    if (windowed && !window.enter()) return rest(WAIT_AGAIN_MS, 'in_flight');
    if (performance.now() < freeUntil) {
      leave(first);
      return first.settle({ kind: 'granted', grant: null });
    }
    try {
      reply = await reserve(redis, name, config, { ...first, asker });
    } catch (error) {
      if (windowed) window.leave(null, 0);
      onError(error as Error);
      return rest(ERROR_AGAIN_MS, 'closed');
    }
    isFree = reply.kind === 'granted' && reply.free;
    if (windowed && reply.kind !== 'granted') window.leave(null, 0);
    switch (reply.kind) {
      case 'granted':
        // It may have been called off meanwhile, and has left the line then.
        leave(first);
        if (reply.free) freeUntil = performance.now() + FREE_MS;
        return start(first, reply.inMs, { ...reply.grant, windowed });
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
        if (closed || want.signal.aborted) return resolve({ kind: 'aborted' });
        if (waiters.length === 0 && performance.now() < freeUntil && window.enter()) {
          return resolve({ kind: 'granted', grant: null });
        }
        const called = (): void => {
          if (leave(waiter)) waiter.settle({ kind: 'aborted' });
          wake();
        };
        const restsBefore = rests;
        const waiter: Waiter = {
          ...want,
          order: order++,
          settle: (place) => {
            want.signal.removeEventListener('abort', called);
            const waited = place.kind === 'granted' && rests > restsBefore;
            resolve(waited ? { ...place, waitedFor: restedFor } : place);
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
      closed = true;
      for (const waiter of waiters.splice(0)) waiter.settle({ kind: 'aborted' });
      wake();
    },
  };
}

/** Of a call that nothing limited when it began. */
const NO_GRANT: Grant = { id: '', tokens: 0, start: '0', left: ['', ''], probe: false };

/** A reservation whose call was not made. */
export const UNUSED: Settlement = {
  tokens: 0,
  requestsLeft: null,
  tokensLeft: null,
  answered: false,
  closeForMs: null,
};
