/** How long a fault lasts: the one thing in a fault test that is time itself and no condition to wait for. */

/** Resolves once so many milliseconds have passed since `since` (of performance.now(); by default now). */
export function elapsed(ms: number, since = performance.now()): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, since + ms - performance.now())));
}
