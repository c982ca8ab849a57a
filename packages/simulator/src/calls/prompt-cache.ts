/**
 * OpenAI's prompt cache, as it is documented. A prompt of 1,024 tokens or more is cached by its prefixes, in steps of 128
 * tokens, per model and on the machine that answers it; it can be hit once that answer has begun, and is forgotten 5 to
 * 10 minutes after its last use. Which machine that is, a `prompt_cache_key` decides; what comes without one shares four
 * machines by the hash of its first 256 tokens, and only with others that have none. Where more than 15 requests a
 * minute begin alike, the rest go to any of the four. Chance follows from the seed.
 */
import { hash } from 'node:crypto';
import { CACHED_TOKENS_STEP, MIN_CACHED_TOKENS, prefixHashes } from '../request/prompt-prefixes.ts';
import { drawsFor } from './random.ts';

export interface CacheablePrompt {
  model: string;
  /** As `promptText` gives it. */
  text: string;
  /** The request's `prompt_cache_key`. */
  key: string | undefined;
}

export interface CacheLookup {
  /** 0, or 1,024 and a multiple of 128 more. */
  cachedTokens: number;
  /** Caches the prompt: its output has begun. */
  keep(): void;
}

export interface PromptCache {
  look(prompt: CacheablePrompt): CacheLookup;
}

export interface PromptCacheOptions {
  seed: number;
  charactersPerToken: number;
  /** A clock in milliseconds that never goes back. */
  now?: () => number;
}

const MACHINES = 4;
const ROUTED_TOKENS = 256;
const MAX_REQUESTS_PER_MINUTE = 15;
const MINUTE_MS = 60_000;
const MIN_LIFE_MS = 5 * MINUTE_MS;
const MAX_LIFE_MS = 10 * MINUTE_MS;
/** About 30 MB; the longest unused are forgotten first, as on a machine that runs out of memory. */
const MAX_PREFIXES = 200_000;
const MAX_COUNTED_BEGINNINGS = 10_000;

/** Sets an entry as the newest, and forgets the oldest beyond `bound`. */
function remember<T>(map: Map<string, T>, key: string, value: T, bound: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= bound) return;
  const oldest = map.keys().next();
  if (!oldest.done) map.delete(oldest.value);
}

/** A cache, empty. */
export function createPromptCache(options: PromptCacheOptions): PromptCache {
  const { seed, charactersPerToken, now = () => performance.now() } = options;
  const expiries = new Map<string, number>();
  const beginnings = new Map<string, { minute: number; requests: number; overflowed: number }>();

  function machineOf(model: string, text: string): number {
    const beginning = hash('sha256', `${model}\n${text.slice(0, ROUTED_TOKENS * charactersPerToken)}`);
    const minute = Math.floor(now() / MINUTE_MS);
    const before = beginnings.get(beginning) ?? { minute, requests: 0, overflowed: 0 };
    const requests = before.minute === minute ? before.requests + 1 : 1;
    const over = requests > MAX_REQUESTS_PER_MINUTE;
    const overflowed = before.overflowed + (over ? 1 : 0);
    remember(beginnings, beginning, { minute, requests, overflowed }, MAX_COUNTED_BEGINNINGS);
    if (over) return Math.floor(drawsFor(seed, beginning, overflowed).next() * MACHINES);
    return Number.parseInt(beginning.slice(0, 8), 16) % MACHINES;
  }

  function keep(hashes: string[]): void {
    const draw = drawsFor(seed, hashes.at(-1) ?? '', 0).next();
    const expiry = now() + MIN_LIFE_MS + draw * (MAX_LIFE_MS - MIN_LIFE_MS);
    // The shortest last: a longer prefix is of no use without it, and the oldest are forgotten first.
    for (const prefix of hashes.toReversed()) remember(expiries, prefix, expiry, MAX_PREFIXES);
  }

  return {
    look({ model, text, key }) {
      if (text.length < MIN_CACHED_TOKENS * charactersPerToken) return { cachedTokens: 0, keep: () => undefined };
      const place = key === undefined ? `machine ${machineOf(model, text)}` : `key ${key}`;
      const hashes = prefixHashes(text, charactersPerToken, `${model}\n${place}`);
      const nowMs = now();
      const missing = hashes.findIndex((prefix) => (expiries.get(prefix) ?? 0) <= nowMs);
      const hit = missing < 0 ? hashes.length : missing;
      return {
        cachedTokens: hit === 0 ? 0 : MIN_CACHED_TOKENS + (hit - 1) * CACHED_TOKENS_STEP,
        keep: () => keep(hashes),
      };
    },
  };
}
