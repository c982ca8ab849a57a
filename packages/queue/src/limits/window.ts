/**
 * How many calls one process has in flight at an upstream that tells no limit (vLLM, llama.cpp, Ollama): as many as it
 * likes until the upstream says that it is overloaded, and from then on as many as it bears: additive increase,
 * multiplicative decrease (Chiu and Jain, 1989). It grows no more while answers take twice as long as they mostly do:
 * then more calls only wait in the upstream's own queue.
 */

export interface Window {
  /** Takes a place; false when there is none. */
  enter(): boolean;
  /** Gives it back. `ms`: how long the call took; ok null: it says nothing. */
  leave(ok: boolean | null, ms: number): void;
  /** Infinity until the first overload. */
  size(): number;
}

const LEAST = 1;
/** Of what was in flight, on overload. */
const SHRINK = 0.7;
/** The window counts as used up to here. */
const USED = 0.8;
/** Answers that take so much longer than mostly are a sign of a queue in the upstream. */
const SLOW = 2;
/** Means over about the last ten and the last two hundred calls. */
const RECENTLY = 0.1;
const MOSTLY = 0.005;

export function openWindow(): Window {
  let size = Number.POSITIVE_INFINITY;
  let inside = 0;
  let recent: number | null = null;
  let usual: number | null = null;
  /** One overload fails many calls at once, and shrinks the window once: this many began before it did. */
  let staleCalls = 0;
  return {
    enter: () => {
      if (inside >= Math.floor(size)) return false;
      inside++;
      return true;
    },
    leave: (ok, ms) => {
      const used = inside >= Math.floor(size) * USED;
      const stale = staleCalls > 0;
      if (stale) staleCalls--;
      if (ok === false && !stale) {
        size = Math.max(LEAST, Math.min(size, inside) * SHRINK);
        staleCalls = inside - 1;
      }
      inside--;
      if (ok !== true) return;
      recent = recent === null ? ms : recent + RECENTLY * (ms - recent);
      usual = usual === null ? ms : usual + MOSTLY * (ms - usual);
      if (used && !stale && recent <= SLOW * usual) size += 1 / size;
    },
    size: () => Math.floor(size),
  };
}
