/** What a Response repeats of its request, and the defaults OpenAI writes where the request said nothing. */

import type { ResponsesBody } from '../job.ts';
import { isJsonObject, type JsonObject } from '../responses-request-fault.ts';

/** Of a request that went to Chat Completions: what that has not, it cannot have asked for. */
export function requestEchoOf(request: ResponsesBody): JsonObject {
  const text = isJsonObject(request['text']) ? request['text'] : {};
  const reasoning = isJsonObject(request['reasoning']) ? request['reasoning'] : {};
  return {
    instructions: request['instructions'] ?? null,
    max_output_tokens: request['max_output_tokens'] ?? null,
    max_tool_calls: null,
    metadata: request['metadata'] ?? {},
    parallel_tool_calls: request['parallel_tool_calls'] ?? true,
    previous_response_id: null,
    prompt_cache_key: request['prompt_cache_key'] ?? null,
    prompt_cache_retention: request['prompt_cache_retention'] ?? null,
    reasoning: { effort: reasoning.effort ?? null, summary: null },
    safety_identifier: request['safety_identifier'] ?? null,
    store: request['store'] ?? true,
    temperature: request['temperature'] ?? 1,
    text: { ...text, format: text.format ?? { type: 'text' } },
    tool_choice: request['tool_choice'] ?? 'auto',
    tools: request['tools'] ?? [],
    top_logprobs: request['top_logprobs'] ?? 0,
    top_p: request['top_p'] ?? 1,
    truncation: 'disabled',
    user: request['user'] ?? null,
  };
}
