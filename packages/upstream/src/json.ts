/** JSON from strangers: never throws, never deeper than what can be walked, validated and stored again. */
import { parseGuardedJson } from '@millrace/core';

/** The parsed value; undefined where `text` is no JSON, or nests deeper than core's MAX_JSON_DEPTH. */
export function parseJson(text: string): unknown {
  try {
    return parseGuardedJson(text);
  } catch {
    // That it is unusable is told by the undefined; core's wording speaks to a producer, not of an upstream.
    return undefined;
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
