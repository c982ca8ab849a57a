/** What a chat completion counted, in the Responses API's names. */

import { isJsonObject, type JsonObject } from '../responses-request-fault.ts';

/** Null where neither prompt nor completion tokens are told; missing details count as 0. */
export function responseUsageOf(usage: unknown): JsonObject | null {
  if (!isJsonObject(usage)) return null;
  const { prompt_tokens: prompt, completion_tokens: completion, total_tokens: total } = usage;
  if (!isCount(prompt) && !isCount(completion)) return null;
  const promptDetails = isJsonObject(usage.prompt_tokens_details) ? usage.prompt_tokens_details : {};
  const completionDetails = isJsonObject(usage.completion_tokens_details) ? usage.completion_tokens_details : {};
  const { cache_write_tokens: written } = promptDetails;
  return {
    input_tokens: count(prompt),
    input_tokens_details: {
      cached_tokens: count(promptDetails.cached_tokens),
      ...(isCount(written) && { cache_write_tokens: written }),
    },
    output_tokens: count(completion),
    output_tokens_details: { reasoning_tokens: count(completionDetails.reasoning_tokens) },
    total_tokens: isCount(total) ? total : count(prompt) + count(completion),
  };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function count(value: unknown): number {
  return isCount(value) ? value : 0;
}
