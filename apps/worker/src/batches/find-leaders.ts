/**
 * Which requests of a batch go ahead, so that the others find their beginning cached: the first of each beginning that
 * is long enough to be cached and that several share. Its memory is bounded, whatever the batch has.
 */
import {
  isCacheable,
  promptCacheKey,
  promptPrefix,
  type ResponsesBody,
  type Tool,
  withRegistered,
} from '@millrace/core';

/** Fewer gain less than a round of waiting costs. */
const LEAST_SHARING = 5;
/** Some megabyte; beginnings that first come after so many others send nobody ahead. */
const MOST_PREFIXES = 10_000;
/** Those that the most share; their places are kept on the batch's record. */
const MOST_LEADERS = 500;

export interface LeaderSearch {
  /** @param place of the line, from 0 */
  note(place: number, request: ResponsesBody): void;
  /** Places, in their order. */
  found(): number[];
}

/** @param tools that are registered: where a request names one, its whole definition is in the prompt */
export function searchLeaders(tools: Readonly<Record<string, Tool>>): LeaderSearch {
  const prefixes = new Map<string, { first: number; count: number }>();
  return {
    note: (place, request) => {
      const prefix = promptPrefix({ ...request, tools: withRegistered(request.tools, tools) });
      if (prefix === null || !isCacheable(prefix)) return;
      // Models and keys are caches of their own.
      const key = promptCacheKey(JSON.stringify([request.model, request.prompt_cache_key, prefix]));
      const known = prefixes.get(key);
      if (known !== undefined) known.count++;
      else if (prefixes.size < MOST_PREFIXES) prefixes.set(key, { first: place, count: 1 });
    },
    found: () =>
      [...prefixes.values()]
        .filter(({ count }) => count >= LEAST_SHARING)
        .sort((a, b) => b.count - a.count)
        .slice(0, MOST_LEADERS)
        .map(({ first }) => first)
        .sort((a, b) => a - b),
  };
}
