/** Whether a queue's jobs are taken here: not while there is any reason against it, and each reason ends by itself. */

/** `refused`: Redis refuses what the taking writes. `limit`: the queue's limit is closed. `clock`: this machine's clock is off. */
export type HoldReason = 'refused' | 'clock' | 'limit';

export interface Taking {
  hold(reason: HoldReason, held: boolean): void;
  /** For any reason, or for this one. */
  held(reason?: HoldReason): boolean;
}

/** Calls `stop` when the first reason comes and `go` when the last one goes. */
export function takeOrHold(stop: () => void, go: () => void): Taking {
  const reasons = new Set<HoldReason>();
  return {
    hold: (reason, held) => {
      const before = reasons.size;
      if (held) reasons.add(reason);
      else reasons.delete(reason);
      if (before === 0 && reasons.size > 0) stop();
      if (before > 0 && reasons.size === 0) go();
    },
    held: (reason) => (reason === undefined ? reasons.size > 0 : reasons.has(reason)),
  };
}
