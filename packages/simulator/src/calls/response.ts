/** The Response object of a call, with every field OpenAI sends, and its items in their finished form. */
import { type AnswerItem, type HostedCall, type ReasoningItem, reasoningTokensOf } from '../answer/answer.ts';
import { effortOf } from '../answer/reasoning.ts';
import { isObject, type JsonObject } from '../json.ts';
import { type Call, type CallStatus, itemId } from './call.ts';

const MS_PER_SECOND = 1000;
const CALL_ID_HEX_DIGITS = 24;

type ItemStatus = 'in_progress' | 'completed' | 'incomplete';

/** Where a hosted tool's call holds what the model wrote. */
export const TEXT_FIELDS: Partial<Record<HostedCall['tool'], string>> = { code_interpreter: 'code', mcp: 'arguments' };

/** The content part of a text or refusal, holding `text`. */
export function contentPart(item: AnswerItem, text: string): JsonObject {
  if (item.kind === 'refusal') return { type: 'refusal', refusal: text };
  const annotations = item.kind === 'text' && text ? (item.annotations ?? []) : [];
  return { type: 'output_text', annotations, logprobs: [], text };
}

/** By what the output of item `index`'s call will refer to it. */
export function callIdOf(call: Call, index: number): string {
  return `call_${itemId(call, index).slice(-CALL_ID_HEX_DIGITS)}`;
}

function hostedItem(call: Call, index: number, item: HostedCall, status: ItemStatus): JsonObject {
  const { tool, text, fields, result } = item;
  const done = status !== 'in_progress';
  const field = TEXT_FIELDS[tool];
  return {
    id: itemId(call, index),
    type: `${tool}_call`,
    status,
    ...fields,
    ...(tool === 'computer' && { call_id: callIdOf(call, index) }),
    ...(field && { [field]: done ? text : '' }),
    // A tool whose call was cut off was never run.
    ...Object.fromEntries(Object.entries(result).map(([key, value]) => [key, status === 'completed' ? value : null])),
  };
}

function reasoningItem(id: string, { parts, encrypted }: ReasoningItem, done: boolean): JsonObject {
  const summary = done ? parts.map((text) => ({ type: 'summary_text', text })) : [];
  return { id, type: 'reasoning', summary, ...(encrypted && { encrypted_content: encrypted }) };
}

/** Output item `index`; empty of content while `in_progress`. */
export function outputItem(call: Call, index: number, item: AnswerItem, status: ItemStatus): JsonObject {
  const id = itemId(call, index);
  const done = status !== 'in_progress';
  if (item.kind === 'hosted_call') return hostedItem(call, index, item, status);
  if (item.kind === 'reasoning') return reasoningItem(id, item, done);
  if (item.kind === 'function_call') {
    const call_id = callIdOf(call, index);
    return { id, type: 'function_call', status, arguments: done ? item.text : '', call_id, name: item.name };
  }
  return { id, type: 'message', status, content: done ? [contentPart(item, item.text)] : [], role: 'assistant' };
}

/** How item `index` ended: only the last one can have been cut off. */
export function itemStatus(call: Call, index: number): 'completed' | 'incomplete' {
  return call.answer.incomplete && index === call.answer.items.length - 1 ? 'incomplete' : 'completed';
}

function seconds(atMs: number): number {
  return Math.floor(atMs / MS_PER_SECOND);
}

/** The call's Response object in `status`; `id` where a retrieve answers with another's. */
export function responseObject(call: Call, status: CallStatus = call.status, id: string = call.id): JsonObject {
  const { request, answer } = call;
  const { body } = request;
  const answered = status === 'completed' || status === 'incomplete';
  const reasoning = isObject(body.reasoning) ? body.reasoning : {};
  return {
    id,
    object: 'response',
    access_programs: body.access_programs ?? null,
    created_at: seconds(call.createdAtMs),
    status,
    background: request.background,
    completed_at: status === 'completed' && call.endedAtMs !== undefined ? seconds(call.endedAtMs) : null,
    error: status === 'failed' ? (answer.error ?? null) : null,
    incomplete_details: status === 'incomplete' ? { reason: 'max_output_tokens' } : null,
    instructions: body.instructions ?? null,
    max_output_tokens: body.max_output_tokens ?? null,
    max_tool_calls: body.max_tool_calls ?? null,
    model: request.model,
    output: answered ? answer.items.map((item, index) => outputItem(call, index, item, itemStatus(call, index))) : [],
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    previous_response_id: body.previous_response_id ?? null,
    prompt_cache_key: body.prompt_cache_key ?? null,
    reasoning: { effort: effortOf(request.model, body.reasoning), summary: reasoning.summary ?? null },
    safety_identifier: body.safety_identifier ?? null,
    service_tier: status === 'queued' || status === 'in_progress' ? (body.service_tier ?? 'auto') : 'default',
    store: request.store,
    temperature: body.temperature ?? 1,
    text: { verbosity: 'medium', ...(isObject(body.text) ? body.text : {}), format: textFormat(body.text) },
    tool_choice: body.tool_choice ?? 'auto',
    tools: body.tools ?? [],
    top_logprobs: body.top_logprobs ?? 0,
    top_p: body.top_p ?? 1,
    truncation: body.truncation ?? 'disabled',
    usage: answered ? usage(call) : null,
    user: body.user ?? null,
    metadata: body.metadata ?? {},
  };
}

function textFormat(text: unknown): unknown {
  return isObject(text) && isObject(text.format) ? text.format : { type: 'text' };
}

function usage({ inputTokens, cachedTokens, answer }: Call): JsonObject {
  const { outputTokens } = answer;
  return {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: cachedTokens },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: reasoningTokensOf(answer) },
    total_tokens: inputTokens + outputTokens,
  };
}
