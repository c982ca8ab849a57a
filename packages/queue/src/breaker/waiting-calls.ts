/**
 * The calls of one process that wait while an upstream is not simply called. Only the first of them asks Redis, so that
 * it is asked little however many wait; what it learns is for all of them.
 */
import type { StepReply } from './step.ts';

export type Turn =
  | { kind: 'start'; reply: StepReply | null }
  /** Not for so long that waiting here would be in the way of others. */
  | { kind: 'open'; inMs: number }
  | { kind: 'aborted' };

export interface WaitingCalls {
  wait(signal: AbortSignal): Promise<Turn>;
  /** Something has changed: the first asks again. */
  wake(): void;
  /** Nobody waits any more; all get `aborted`. */
  close(): void;
}

/** While it recovers, a call waits here for its turn; then it goes back, for others may do something useful meanwhile. */
const PATIENCE_MS = 2000;
/** What other processes' successes allow to start is seen so soon; one's own are seen at once. */
const LOOK_AGAIN_MS = 100;

interface Waiter {
  /** performance.now(). */
  since: number;
  settle: (turn: Turn) => void;
}

/**
 * @param ask null when Redis cannot say: then calls start, for the breaker must never be what stops them
 * @param giveBack called with what was allowed to start when nobody is left who would
 */
export function openWaitingCalls(
  ask: () => Promise<StepReply | null>,
  giveBack: (reply: StepReply) => void,
): WaitingCalls {
  /** Its bound is what the process takes at once. */
  const waiters: Waiter[] = [];
  let working = false;
  let wake: () => void = () => undefined;

  const settleAll = (turn: Turn): void => {
    for (const waiter of waiters.splice(0)) waiter.settle(turn);
  };
  const rest = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        wake = () => undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      wake = done;
    });
  const sendBackTheImpatient = (inMs: number): void => {
    const from = performance.now() - PATIENCE_MS;
    while (waiters[0] !== undefined && waiters[0].since <= from) waiters.shift()?.settle({ kind: 'open', inMs });
  };

  const askOnce = async (): Promise<void> => {
    const reply = await ask();
    if (reply === null || reply.state === 'closed') return settleAll({ kind: 'start', reply });
    if (reply.mayStart) {
      const first = waiters.shift();
      // Called off while Redis was asked.
      if (first === undefined) giveBack(reply);
      else first.settle({ kind: 'start', reply });
      return;
    }
    if (reply.state === 'open') return settleAll({ kind: 'open', inMs: reply.inMs });
    sendBackTheImpatient(reply.inMs);
    if (waiters.length > 0) await rest(Math.min(reply.inMs, LOOK_AGAIN_MS));
  };
  const work = async (): Promise<void> => {
    working = true;
    while (waiters.length > 0) await askOnce();
    working = false;
  };

  return {
    wait: (signal) =>
      new Promise((resolve) => {
        const called = (): void => {
          const at = waiters.indexOf(waiter);
          if (at !== -1) waiters.splice(at, 1);
          waiter.settle({ kind: 'aborted' });
          if (waiters.length === 0) wake();
        };
        const waiter: Waiter = {
          since: performance.now(),
          settle: (turn) => {
            signal.removeEventListener('abort', called);
            resolve(turn);
          },
        };
        signal.addEventListener('abort', called);
        waiters.push(waiter);
        if (!working) void work();
      }),
    wake: () => wake(),
    close: () => {
      settleAll({ kind: 'aborted' });
      wake();
    },
  };
}
