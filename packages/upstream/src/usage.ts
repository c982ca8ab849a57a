/** What the upstream counted, in OpenAI's shape whatever shape it came in. */
import type { Usage } from '@millrace/core';
import { isObject } from './json.ts';

/**
 * Usage of a Response. Missing details count as 0, Chat-style names (`prompt_tokens`, `completion_tokens`) and numbers
 * sent as strings are read; null where neither input nor output tokens are told.
 */
export function usageOf(response: Record<string, unknown>): Usage | null {
  const usage = response['usage'];
  if (!isObject(usage)) return null;
  const input = tokens(usage['input_tokens']) ?? tokens(usage['prompt_tokens']);
  const output = tokens(usage['output_tokens']) ?? tokens(usage['completion_tokens']);
  if (input === null && output === null) return null;
  const inputDetails = usage['input_tokens_details'] ?? usage['prompt_tokens_details'];
  const outputDetails = usage['output_tokens_details'] ?? usage['completion_tokens_details'];
  return {
    input_tokens: input ?? 0,
    input_tokens_details: { cached_tokens: detail(inputDetails, 'cached_tokens') },
    output_tokens: output ?? 0,
    output_tokens_details: { reasoning_tokens: detail(outputDetails, 'reasoning_tokens') },
    total_tokens: tokens(usage['total_tokens']) ?? (input ?? 0) + (output ?? 0),
  };
}

function detail(details: unknown, name: string): number {
  return isObject(details) ? (tokens(details[name]) ?? 0) : 0;
}

function tokens(value: unknown): number | null {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : null;
}
