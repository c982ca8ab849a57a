/** Log probabilities of a chat completion as those of a Response's text, which always has the bytes. */

import { isJsonObject, type JsonObject } from '../responses-request-fault.ts';

/** None where they were not asked for, or not told. */
export function chatLogprobsIn(logprobs: unknown): JsonObject[] {
  if (!isJsonObject(logprobs) || !Array.isArray(logprobs.content)) return [];
  return logprobs.content.filter(isJsonObject).map((token) => ({
    ...entryOf(token),
    top_logprobs: Array.isArray(token.top_logprobs) ? token.top_logprobs.filter(isJsonObject).map(entryOf) : [],
  }));
}

function entryOf({ token, logprob, bytes }: JsonObject): JsonObject {
  const text = typeof token === 'string' ? token : '';
  return { token: text, logprob, bytes: Array.isArray(bytes) ? bytes : [...Buffer.from(text)] };
}
