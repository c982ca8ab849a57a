/** The jobs this process runs of one queue: whom to tell to stop, and when none is left. */
import type { AbortReason } from '@millrace/upstream';

/** One start of a job. A job that was taken for lost may run twice in one process, so its id does not tell them apart. */
export interface Run {
  id: string;
  /** BullMQ's lock token of this start. */
  token: string;
  controller: AbortController;
}

export interface Running {
  add(id: string, token: string): Run;
  remove(run: Run): void;
  size(): number;
  /** The jobs that run, each once. */
  ids(): string[];
  /** The starts of a job, mostly one. */
  of(id: string): Run[];
  stop(reason: AbortReason, id?: string): void;
  /** Resolves when nothing runs. */
  idle(): Promise<void>;
}

/** Its bound is the queue's concurrency: BullMQ takes no more than that. */
export function trackRunning(): Running {
  const runs = new Set<Run>();
  let onIdle: (() => void)[] = [];
  const of = (id: string): Run[] => [...runs].filter((run) => run.id === id);
  return {
    add: (id, token) => {
      const run = { id, token, controller: new AbortController() };
      runs.add(run);
      return run;
    },
    remove: (run) => {
      runs.delete(run);
      if (runs.size > 0) return;
      for (const resolve of onIdle) resolve();
      onIdle = [];
    },
    size: () => runs.size,
    ids: () => [...new Set([...runs].map(({ id }) => id))],
    of,
    stop: (reason, id) => {
      for (const run of id === undefined ? runs : of(id)) run.controller.abort(reason);
    },
    idle: () =>
      runs.size === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            onIdle.push(resolve);
          }),
  };
}
