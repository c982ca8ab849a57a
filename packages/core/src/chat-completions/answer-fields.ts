/** What a completion and the last chunks of a stream tell about a response beside its message. */

import type { ResponseObject } from '../outcome.ts';
import { isJsonObject, type JsonObject } from '../responses-request-fault.ts';
import type { CompletionUsage, FinishReason, Moderation, ModerationVerdict, ServiceTier } from './chat-completion.ts';

const RESPONSE_PREFIX = 'resp_';
const COMPLETION_PREFIX = 'chatcmpl-';

const SERVICE_TIERS: readonly unknown[] = ['auto', 'default', 'flex', 'scale', 'priority', 'fast'];

/** `resp_x` → `chatcmpl-x`: the id of the completion that a response is told as. */
export function chatCompletionId(responseId: string): string {
  const name = responseId.startsWith(RESPONSE_PREFIX) ? responseId.slice(RESPONSE_PREFIX.length) : responseId;
  return COMPLETION_PREFIX + name;
}

/** Why the model stopped; `call` names the reason where it called a tool. An answer cut short stays cut short. */
export function finishReasonOf(
  response: ResponseObject,
  call: 'tool_calls' | 'function_call' | undefined,
): FinishReason {
  if (response.status !== 'incomplete') return call ?? 'stop';
  return response.incomplete_details?.reason === 'content_filter' ? 'content_filter' : 'length';
}

/** Undefined where the upstream counted nothing. */
export function usageOf(response: ResponseObject): CompletionUsage | undefined {
  const { usage } = response;
  if (!isJsonObject(usage)) return undefined;
  const input = count(usage.input_tokens);
  const output = count(usage.output_tokens);
  const inputDetails = isJsonObject(usage.input_tokens_details) ? usage.input_tokens_details : {};
  const outputDetails = isJsonObject(usage.output_tokens_details) ? usage.output_tokens_details : {};
  const written = inputDetails.cache_write_tokens;
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: typeof usage.total_tokens === 'number' ? usage.total_tokens : input + output,
    prompt_tokens_details: {
      cached_tokens: count(inputDetails.cached_tokens),
      ...(typeof written === 'number' && { cache_write_tokens: written }),
    },
    completion_tokens_details: { reasoning_tokens: count(outputDetails.reasoning_tokens) },
  };
}

/** Tier and moderation, where the response has them. `system_fingerprint` has no counterpart and is left out. */
export function standingFieldsOf(response: ResponseObject): { service_tier?: ServiceTier; moderation?: Moderation } {
  const { service_tier: tier, moderation } = response;
  const input = isJsonObject(moderation) ? verdictOf(moderation.input) : undefined;
  const output = isJsonObject(moderation) ? verdictOf(moderation.output) : undefined;
  return {
    ...(SERVICE_TIERS.includes(tier) && { service_tier: tier as ServiceTier }),
    ...(input && output && { moderation: { input, output } }),
  };
}

/** One result in the Responses API is a list of one in Chat Completions. */
function verdictOf(verdict: unknown): ModerationVerdict | undefined {
  if (!isJsonObject(verdict)) return undefined;
  if (verdict.type !== 'moderation_result') return verdict as JsonObject & ModerationVerdict;
  const result = verdict as JsonObject & Extract<ModerationVerdict, { type: 'moderation_results' }>['results'][number];
  return { type: 'moderation_results', model: result.model, results: [result] };
}

function count(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
