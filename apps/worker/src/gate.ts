/**
 * A suspect runs alone. All jobs of this process pass here: any number side by side, or one that took a process down
 * before, with nothing beside it, so that its next crash is its own. What is held here has not begun, so it uses up no
 * attempt; it is held no longer than the calls under way and the suspect's own take, each of which has its timeout.
 */

/** To be called when the job has ended, however it did. */
export type Leave = () => void;

export interface Gate {
  /** Waits while a suspect is to run or runs; null when the signal was aborted meanwhile. */
  enter(signal: AbortSignal): Promise<Leave | null>;
  /** Waits until nothing else runs; null when the signal was aborted meanwhile, 'busy' when another suspect is first. */
  enterAlone(signal: AbortSignal): Promise<Leave | 'busy' | null>;
}

/**
 * Opens the gate of a process.
 * @param onHold told when it closes and opens: what would be held had better not be taken
 */
export function openGate(onHold: (held: boolean) => void): Gate {
  let inside = 0;
  /** A suspect waits or runs. */
  let held = false;
  /** Its bound is what BullMQ takes at once: the concurrency of all queues. */
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const look of [...waiting]) look();
  };
  const until = (ready: () => boolean, signal: AbortSignal): Promise<boolean> => {
    if (signal.aborted) return Promise.resolve(false);
    if (ready()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const look = (): void => {
        if (!signal.aborted && !ready()) return;
        waiting.delete(look);
        signal.removeEventListener('abort', look);
        resolve(!signal.aborted);
      };
      waiting.add(look);
      signal.addEventListener('abort', look);
    });
  };
  const leave = (): void => {
    inside--;
    wake();
  };
  return {
    enter: async (signal) => {
      // Again, because between being woken and getting here another suspect may have come.
      do {
        if (!(await until(() => !held, signal))) return null;
      } while (held);
      inside++;
      return leave;
    },
    enterAlone: async (signal) => {
      if (held) return 'busy';
      held = true;
      onHold(true);
      const open = (): void => {
        held = false;
        onHold(false);
        wake();
      };
      if (await until(() => inside === 0, signal)) return open;
      open();
      return null;
    },
  };
}
