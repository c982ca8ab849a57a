/**
 * What may end a call before its answer does: its time limit and its caller's signal, as one promise. `close` must be
 * called on every path; after it there is neither timer nor listener.
 */
import { abortKind } from './abort-reason.ts';
import type { StoppedBy } from './exchange.ts';

/** setTimeout's own limit, some 24 days: anything longer would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface Watch {
  /** Resolves when the call is to stop; for ever pending otherwise. */
  readonly stopped: Promise<StoppedBy>;
  close(): void;
}

/** @param timeoutMs of the whole call, from now. */
export function startWatch(timeoutMs: number, signal: AbortSignal): Watch {
  const { promise, resolve } = Promise.withResolvers<StoppedBy>();
  const onAbort = (): void => resolve(abortKind(signal.reason));
  const timer = setTimeout(() => resolve('timeout'), Math.min(Math.max(timeoutMs, 0), MAX_TIMER_MS));
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  return {
    stopped: promise,
    close: () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    },
  };
}
