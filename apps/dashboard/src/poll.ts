/**
 * One reader for all viewers: the figures are read once per interval while somebody follows, and not at all otherwise.
 * Two reads never overlap, and pages opened in between share the newest.
 */

export interface Poll<T> {
  /** What was read at most one interval ago; read now where there is nothing that new. */
  latest(): Promise<T>;
  /** Reads on, telling `listener` each time, until the returned function is called. One follower at a time. */
  follow(listener: (value: T) => void): () => void;
}

/**
 * @param read must not throw: trouble is part of what it reads
 * @param everyMs from the end of one read to the begin of the next, and how long a read counts as new
 */
export function openPoll<T>(read: () => Promise<T>, everyMs: number): Poll<T> {
  let reading: Promise<T> | null = null;
  let newest: { value: T; at: number } | null = null;

  const readOnce = (): Promise<T> => {
    reading ??= read()
      .then((value) => {
        newest = { value, at: performance.now() };
        return value;
      })
      .finally(() => {
        reading = null;
      });
    return reading;
  };

  return {
    latest: async () => (newest !== null && performance.now() - newest.at < everyMs ? newest.value : await readOnce()),
    follow: (listener) => {
      let timer: NodeJS.Timeout | undefined;
      let stopped = false;
      const round = async (): Promise<void> => {
        const value = await readOnce();
        if (stopped) return;
        timer = setTimeout(() => void round(), everyMs);
        listener(value);
      };
      timer = setTimeout(() => void round(), everyMs);
      return () => {
        stopped = true;
        clearTimeout(timer);
      };
    },
  };
}
