/** Log probabilities of tokens; the Responses API leaves out in events what it tells in items. */

import { isJsonObject, type JsonObject } from '../responses-request-fault.ts';
import type { Logprobs, TokenLogprob } from './chat-completion.ts';

/** Null where there are none: not asked for, or not told. */
export function logprobsOf(tokens: unknown): Logprobs | null {
  if (!Array.isArray(tokens) || tokens.length === 0) return null;
  return { content: tokens.filter(isJsonObject).map(tokenOf), refusal: null };
}

function tokenOf(token: JsonObject): TokenLogprob {
  const top = Array.isArray(token.top_logprobs) ? token.top_logprobs.filter(isJsonObject) : [];
  return { ...entryOf(token), top_logprobs: top.map(entryOf) };
}

function entryOf(entry: JsonObject): { token: string; bytes: number[] | null; logprob: number } {
  return {
    token: typeof entry.token === 'string' ? entry.token : '',
    bytes: Array.isArray(entry.bytes) ? entry.bytes : null,
    logprob: typeof entry.logprob === 'number' ? entry.logprob : 0,
  };
}
