/**
 * Chance that repeats: every draw follows from the seed, what was asked and how often it was asked before, never from
 * the order in which different requests happened to arrive.
 */
import { hash } from 'node:crypto';

export interface Draws {
  /** 48 hex digits: the body of the response's id. */
  hex: string;
  /** The next even draw from [0, 1). */
  next(): number;
}

const ID_HEX_DIGITS = 48;
const SEED_HEX_DIGITS = 8;

/** mulberry32 (Tommy Ettinger, public domain): 32 bits of state are plenty for the handful of draws of one call. */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The draws of the `nth` call (from 0) with this `content`. */
export function drawsFor(seed: number, content: string, nth: number): Draws {
  const digest = hash('sha256', `${seed}\n${content}\n${nth}`);
  const start = Number.parseInt(digest.slice(ID_HEX_DIGITS, ID_HEX_DIGITS + SEED_HEX_DIGITS), 16);
  return { hex: digest.slice(0, ID_HEX_DIGITS), next: mulberry32(start) };
}

export interface Occurrences {
  /** How often this content was counted before now; counts it. */
  count(content: string): number;
}

/** Counts contents, remembering the `bound` most recently seen ones. */
export function createOccurrences(bound: number): Occurrences {
  const seen = new Map<string, number>();
  return {
    count(content) {
      const before = seen.get(content) ?? 0;
      seen.delete(content);
      seen.set(content, before + 1);
      if (seen.size > bound) {
        const oldest = seen.keys().next();
        if (!oldest.done) seen.delete(oldest.value);
      }
      return before;
    },
  };
}
