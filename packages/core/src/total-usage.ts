/** Tokens of several calls together. */
import type { Usage } from './outcome.ts';

/** The sum; null where nothing was told. */
export function totalUsage(parts: readonly (Usage | null)[]): Usage | null {
  return parts.reduce<Usage | null>((sum, part) => {
    if (sum === null || part === null) return sum ?? part;
    return {
      input_tokens: sum.input_tokens + part.input_tokens,
      input_tokens_details: {
        cached_tokens: sum.input_tokens_details.cached_tokens + part.input_tokens_details.cached_tokens,
      },
      output_tokens: sum.output_tokens + part.output_tokens,
      output_tokens_details: {
        reasoning_tokens: sum.output_tokens_details.reasoning_tokens + part.output_tokens_details.reasoning_tokens,
      },
      total_tokens: sum.total_tokens + part.total_tokens,
    };
  }, null);
}
