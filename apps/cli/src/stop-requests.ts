/**
 * The wish to stop: the first Ctrl-C or SIGTERM asks for a clean stop, a second one for a quick one. Nothing else in
 * the process listens to signals.
 */

/**
 * Ctrl-C reaches every process of the terminal's foreground group, and the package manager above us may pass it on
 * as well: what comes this close is the same wish.
 */
const SAME_WISH_MS = 700;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The reason of the abort: not a fault. */
export class StopRequested extends Error {
  override readonly name = 'StopRequested';
}

export interface StopRequests {
  /** Aborted by the first wish. */
  stop: AbortSignal;
  /** Aborted by the second. */
  hurry: AbortSignal;
  close(): void;
}

export function listenForStop(): StopRequests {
  const stop = new AbortController();
  const hurry = new AbortController();
  let firstAt = 0;
  const wish = (signal: NodeJS.Signals) => {
    if (!stop.signal.aborted) {
      firstAt = Date.now();
      stop.abort(new StopRequested(`stopped by ${signal}`));
    } else if (Date.now() - firstAt > SAME_WISH_MS) hurry.abort(new StopRequested(`hurried by ${signal}`));
  };
  for (const signal of SIGNALS) process.on(signal, wish);
  return {
    stop: stop.signal,
    hurry: hurry.signal,
    close: () => {
      for (const signal of SIGNALS) process.off(signal, wish);
    },
  };
}

/**
 * What `promise` comes to, unless `signal` is aborted first: then its reason is thrown, and the promise is left to
 * whoever owns it.
 */
export async function unlessStopped<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let onAbort: () => void = () => {};
  const stopped = new Promise<never>((_, fail) => {
    onAbort = () => fail(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, stopped]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
