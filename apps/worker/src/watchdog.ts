/**
 * A worker that stops fetching though jobs wait is started again. BullMQ's loop has been seen to park after an outage
 * (taskforcesh/bullmq#4585); whatever parks it, jobs must not wait for somebody to notice.
 */

/** Looks in that time; each costs one count of what waits. All of them must find the same. */
const LOOKS = 6;

export interface Watched {
  /** Jobs taken so far: any number that changes when the worker does what it is for. */
  taken(): number;
  /** Whether more jobs could be taken now, if there are any. */
  free(): boolean;
  /** Whether there are any. */
  waiting(): Promise<boolean>;
}

/**
 * Watches a worker.
 * @param afterMs how long nothing must have been taken, though jobs waited all the time, before `restart` is called
 * @returns stops it
 */
export function watchTaking(
  watched: Watched,
  afterMs: number,
  restart: () => void,
  onError: (error: Error) => void,
): () => void {
  let taken = watched.taken();
  let looks = 0;
  let looking = false;
  const look = async (): Promise<void> => {
    const idle = watched.free() && watched.taken() === taken && (await watched.waiting()) && watched.taken() === taken;
    taken = watched.taken();
    looks = idle ? looks + 1 : 0;
    if (looks <= LOOKS) return;
    looks = 0;
    restart();
  };
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    look()
      .catch(onError)
      .finally(() => {
        looking = false;
      });
  }, afterMs / LOOKS);
  timer.unref();
  return () => clearInterval(timer);
}
