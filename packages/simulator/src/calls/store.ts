/** The responses that can be retrieved: the running background ones, and the newest finished ones. */
import { hasEnded } from './call.ts';
import type { Run } from './run.ts';

export interface Store {
  /** Takes a run from its start; call `ended` when its work is done. */
  add(run: Run): void;
  ended(run: Run): void;
  /** A run whose response may be retrieved; foreground ones only once they are finished. */
  get(id: string): Run | undefined;
  delete(id: string): void;
  /** Runs still at work. */
  readonly running: ReadonlySet<Run>;
  /** Finished responses kept. */
  readonly finished: number;
}

/** A response's fields beside its input and output, roughly. */
const BASE_CHARACTERS = 2000;

function sizeOf({ call }: Run): number {
  const output = call.answer.items.reduce((sum, item) => sum + item.text.length, 0);
  return BASE_CHARACTERS + call.request.text.length + output;
}

/** Keeps the newest finished responses within both bounds: their number and their characters. */
export function createStore(maxFinished: number, maxCharacters: number): Store {
  const running = new Set<Run>();
  const background = new Map<string, Run>();
  const finished = new Map<string, Run>();
  let characters = 0;

  function drop(id: string): void {
    const run = finished.get(id);
    if (!run) return;
    finished.delete(id);
    characters -= sizeOf(run);
  }

  return {
    add(run) {
      if (hasEnded(run.call)) return;
      running.add(run);
      if (run.call.request.background) background.set(run.call.id, run);
    },
    ended(run) {
      running.delete(run);
      const known = background.delete(run.call.id) || !run.call.request.background;
      // A background response deleted while it ran must not come back.
      if (!known || !run.call.request.store) return;
      drop(run.call.id);
      finished.set(run.call.id, run);
      characters += sizeOf(run);
      for (const id of finished.keys()) {
        if (finished.size <= maxFinished && characters <= maxCharacters) return;
        drop(id);
      }
    },
    get: (id) => background.get(id) ?? finished.get(id),
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
