/**
 * A worker whose clock is wrong takes no jobs: BullMQ promotes delayed jobs by the worker's clock and stamps with it.
 * Redis's clock is the one that all machines agree on.
 */
import type { Log } from '@millrace/core';

/** More than a round trip and an unhurried NTP explain, less than any delay that is worth asking for. */
export const MOST_SKEW_MS = 5000;
/** A measure that took this long says nothing: half of it may be an error. */
const LONGEST_ROUND_TRIP_MS = 1000;

export interface ClockWatch {
  /** With every heartbeat: how far this clock is ahead of Redis's (negative: behind), and how long asking took. */
  measured(skewMs: number, roundTripMs: number): void;
  right(): boolean;
  /** As it was measured last; 0 before. */
  skewMs(): number;
}

/** Calls `onChange` when the clock turns out wrong, and when it is right again. */
export function watchClock(log: Log, onChange: (right: boolean) => void): ClockWatch {
  let right = true;
  let skew = 0;
  return {
    measured: (skewMs, roundTripMs) => {
      if (roundTripMs > LONGEST_ROUND_TRIP_MS) return;
      skew = Math.round(skewMs);
      const now = Math.abs(skew) <= MOST_SKEW_MS;
      if (now === right) return;
      right = now;
      if (right) log.info({ skew_ms: skew }, 'The clock is right again: taking jobs');
      else log.error({ skew_ms: skew }, 'The clock of this machine differs from Redis’s: no jobs are taken');
      onChange(right);
    },
    right: () => right,
    skewMs: () => skew,
  };
}
