/** A call's answer as a chat completion, whole, and the parts that its chunks share with it. */
import { type AnswerItem, reasoningTokensOf } from '../answer/answer.ts';
import type { Call } from '../calls/call.ts';
import { callIdOf } from '../calls/response.ts';
import { isObject, type JsonObject } from '../json.ts';

const MS_PER_SECOND = 1000;
/** A failed response is one whose head was sent; a failed completion is an HTTP error. */
const STATUSES: Readonly<Record<string, number>> = { rate_limit_exceeded: 429, invalid_prompt: 400 };

/** The fields that a completion and each of its chunks begin with. */
export function completionHead(call: Call, object: 'chat.completion' | 'chat.completion.chunk'): JsonObject {
  return {
    id: `chatcmpl-${call.id.slice('resp_'.length)}`,
    object,
    created: Math.floor(call.createdAtMs / MS_PER_SECOND),
    model: call.request.model,
    service_tier: 'default',
  };
}

/** What the call cost, in a chat's words. */
export function completionUsage({ inputTokens, cachedTokens, answer }: Call): JsonObject {
  return {
    prompt_tokens: inputTokens,
    completion_tokens: answer.outputTokens,
    total_tokens: inputTokens + answer.outputTokens,
    prompt_tokens_details: { cached_tokens: cachedTokens, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: reasoningTokensOf(answer),
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

/** The tool call of item `index`, with so much of its arguments. */
export function toolCall(call: Call, index: number, item: AnswerItem & { name: string }, args: string): JsonObject {
  return { id: callIdOf(call, index), type: 'function', function: { name: item.name, arguments: args } };
}

/** A citation, nested as a chat has it. */
export function chatAnnotation({ type, ...fields }: JsonObject): JsonObject {
  return { type, [String(type)]: fields };
}

/** Why the completion ended. */
export function finishReason({ answer }: Call): 'length' | 'tool_calls' | 'stop' {
  if (answer.incomplete) return 'length';
  return answer.items.some(({ kind }) => kind === 'function_call') ? 'tool_calls' : 'stop';
}

/** The error of a failed call, as a status and body; undefined where it did not fail. */
export function completionError({ answer: { error } }: Call): { status: number; body: JsonObject } | undefined {
  if (!error) return undefined;
  const status = STATUSES[error.code] ?? 500;
  const type = status === 400 ? 'invalid_request_error' : status === 429 ? 'requests' : 'server_error';
  return { status, body: { error: { message: error.message, type, param: null, code: error.code } } };
}

function messageOf(call: Call): JsonObject {
  const { items } = call.answer;
  const text = items.find(({ kind }) => kind === 'text');
  const refusal = items.find(({ kind }) => kind === 'refusal');
  const calls = items.flatMap((item, index) =>
    item.kind === 'function_call' ? [toolCall(call, index, item, item.text)] : [],
  );
  const annotations = text?.kind === 'text' ? (text.annotations ?? []) : [];
  return {
    role: 'assistant',
    // Where the tokens ran out while it reasoned, nothing was said.
    content: text?.text ?? (refusal || calls.length > 0 ? null : ''),
    refusal: refusal?.text ?? null,
    annotations: annotations.filter(isObject).map(chatAnnotation),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

/** The completion of a call that has ended and not failed. */
export function chatCompletion(call: Call): JsonObject {
  return {
    ...completionHead(call, 'chat.completion'),
    choices: [{ index: 0, message: messageOf(call), logprobs: null, finish_reason: finishReason(call) }],
    usage: completionUsage(call),
  };
}
