/** A chat completion's verdicts of moderation as a Response tells them: there a list of one is that one. */

import { isJsonObject, type JsonObject } from '../responses-request-fault.ts';

/** Undefined where nothing was moderated. */
export function moderationOf(moderation: unknown): JsonObject | undefined {
  if (!isJsonObject(moderation)) return undefined;
  const input = verdictOf(moderation.input);
  const output = verdictOf(moderation.output);
  return input && output && { input, output };
}

function verdictOf(verdict: unknown): JsonObject | undefined {
  if (!isJsonObject(verdict)) return undefined;
  if (verdict.type !== 'moderation_results') return verdict;
  const result: unknown = Array.isArray(verdict.results) ? verdict.results[0] : undefined;
  return isJsonObject(result) ? { type: 'moderation_result', model: verdict.model, ...result } : undefined;
}
