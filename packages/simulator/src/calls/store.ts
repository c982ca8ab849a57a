/** The responses that can be retrieved: the running background ones, and the newest finished ones. */
import { type Call, hasEnded } from './call.ts';
import type { Run } from './run.ts';

export interface Store {
  /** Takes a run that has begun; `ended` takes it off again. */
  add(run: Run): void;
  ended(run: Run): void;
  /** A call whose response may be retrieved: foreground ones only once they are finished. */
  get(id: string): Call | undefined;
  /** The background run at work under this id. */
  runOf(id: string): Run | undefined;
  delete(id: string): void;
  /** Runs still at work. */
  readonly running: ReadonlySet<Run>;
  /** Finished responses kept. */
  readonly finished: number;
}

/** A response's fields beside its request and output, roughly. */
const BASE_CHARACTERS = 2000;

function sizeOf(call: Call): number {
  const output = call.answer.items.reduce((sum, item) => sum + item.text.length, 0);
  return BASE_CHARACTERS + call.bodyCharacters + output;
}

/** Keeps the newest finished responses within both bounds: their number and their characters. */
export function createStore(maxFinished: number, maxCharacters: number): Store {
  const running = new Set<Run>();
  const background = new Map<string, Run>();
  // Calls, not runs: a run still holds the connection it was made for.
  const finished = new Map<string, Call>();
  let characters = 0;

  function drop(id: string): void {
    const call = finished.get(id);
    if (!call) return;
    finished.delete(id);
    characters -= sizeOf(call);
  }

  return {
    add(run) {
      if (hasEnded(run.call)) return;
      running.add(run);
      if (run.call.request.background) background.set(run.call.id, run);
    },
    ended(run) {
      const { call } = run;
      running.delete(run);
      const known = background.delete(call.id) || !call.request.background;
      // A background response deleted while it ran must not come back.
      if (!known || !call.request.store) return;
      drop(call.id);
      finished.set(call.id, call);
      characters += sizeOf(call);
      for (const id of finished.keys()) {
        if (finished.size <= maxFinished && characters <= maxCharacters) return;
        drop(id);
      }
    },
    get: (id) => background.get(id)?.call ?? finished.get(id),
    runOf: (id) => background.get(id),
    delete(id) {
      background.delete(id);
      drop(id);
    },
    running,
    get finished() {
      return finished.size;
    },
  };
}
