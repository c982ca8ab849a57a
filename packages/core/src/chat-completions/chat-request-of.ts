/**
 * A Responses request as the Chat Completions request that asks for the same, or the name of what it asks for that
 * Chat Completions has not: such a request is to go to the Responses API. Nothing is ignored but how the answer is to be
 * delivered (`stream`) and what the model thought before (reasoning items).
 */

import type { ResponsesBody } from '../job.ts';
import { RESPONSES_FIELDS } from '../responses-request.ts';
import { isJsonObject, type JsonObject, pathTo } from '../responses-request-fault.ts';
import { chatFormatOf } from './chat-format-of.ts';
import { chatMessagesOf } from './chat-messages-of.ts';
import { CHAT_FIELDS } from './chat-request.ts';
import type { ChatMessage, ChatRequestBody } from './chat-request-body.ts';
import { chatToolChoiceOf, chatToolsOf } from './chat-tools-of.ts';
import { asksForNothing, NoChatCounterpart, refuseOtherFields } from './no-chat-counterpart.ts';
import { NO_COUNTERPART } from './no-counterpart.ts';

/** A `fault` is a sentence for the log; it names the field. */
export type ConvertedToChat = { request: ChatRequestBody } | { fault: string };

/** Fields of one name and meaning in both APIs. `store` too: where it is absent nothing needs to be stored. */
const SHARED_FIELDS: ReadonlySet<string> = new Set([
  'metadata',
  'model',
  'moderation',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
  'safety_identifier',
  'service_tier',
  'store',
  'temperature',
  'top_p',
  'user',
]);
/** Fields that are looked into; `stream` and its options are dropped. */
const CONVERTED_FIELDS: ReadonlySet<string> = new Set([
  'include',
  'input',
  'instructions',
  'max_output_tokens',
  'parallel_tool_calls',
  'reasoning',
  'stream',
  'stream_options',
  'text',
  'tool_choice',
  'tools',
  'top_logprobs',
  'truncation',
]);
const PROMPT_CACHE_FIELDS: ReadonlySet<string> = new Set(['mode', 'ttl']);
const REASONING_FIELDS: ReadonlySet<string> = new Set(['effort']);
const LOGPROBS = 'message.output_text.logprobs';

/** Beside what the Responses API knows, what these ask for is an answer that is no Response. */
const OTHER_ANSWERS = ['audio', 'modalities', 'n'];

/** `body` itself is left as it is; the answer shares its parts. Never throws. */
export function chatRequestOf(body: ResponsesBody): ConvertedToChat {
  try {
    refuseTopLevel(body);
    const tools = asksForNothing(body['tools']) ? [] : chatToolsOf(body['tools'], 'tools');
    const request: ChatRequestBody = {
      ...passedOnOf(body),
      messages: messagesOf(body),
      ...(body['text'] != null && chatFormatOf(body['text'], 'text')),
      ...limitsOf(body),
      ...(tools.length > 0 && { tools }),
      ...callingOf(body, tools.length > 0),
      ...logprobsOf(body),
    };
    return { request };
  } catch (error) {
    if (error instanceof NoChatCounterpart) return { fault: error.message };
    throw error;
  }
}

function refuseTopLevel(body: ResponsesBody): void {
  for (const [field, value] of Object.entries(body)) {
    const known = SHARED_FIELDS.has(field) || CONVERTED_FIELDS.has(field) || isPassedOn(field);
    if (!known && !asksForNothing(value)) throw new NoChatCounterpart(field);
  }
  for (const field of OTHER_ANSWERS) {
    const value = body[field];
    if (value != null && !NO_COUNTERPART.get(field)?.asksForNothing(value)) throw new NoChatCounterpart(field);
  }
  if (body['service_tier'] === 'ultrafast') throw new NoChatCounterpart('service_tier');
  if (body['truncation'] === 'auto') throw new NoChatCounterpart('truncation');
  const { prompt_cache_options: cache } = body;
  if (isJsonObject(cache)) refuseOtherFields(cache, PROMPT_CACHE_FIELDS, 'prompt_cache_options');
}

/** What only the upstream knows (its `extraFields`), under a name that Chat Completions gives no other meaning. */
function isPassedOn(field: string): boolean {
  return !RESPONSES_FIELDS.has(field) && (!CHAT_FIELDS.has(field) || NO_COUNTERPART.has(field));
}

/** Null is absence: not every server takes it. */
function passedOnOf(body: ResponsesBody): JsonObject {
  const isKept = ([field, value]: [string, unknown]) =>
    value != null && (SHARED_FIELDS.has(field) || isPassedOn(field));
  return Object.fromEntries(Object.entries(body).filter(isKept));
}

/** Instructions stand before all else, under the role that every server knows. */
function messagesOf({ instructions, input }: ResponsesBody): ChatMessage[] {
  if (typeof input !== 'string' && !Array.isArray(input)) throw new NoChatCounterpart('input');
  const messages = chatMessagesOf(input, 'input');
  if (messages.length === 0) throw new NoChatCounterpart('input');
  if (instructions == null) return messages;
  if (typeof instructions !== 'string') throw new NoChatCounterpart('instructions');
  return [{ role: 'system', content: instructions }, ...messages];
}

function limitsOf({ max_output_tokens: max, reasoning }: ResponsesBody): JsonObject {
  if (reasoning != null && !isJsonObject(reasoning)) throw new NoChatCounterpart('reasoning');
  if (reasoning != null) refuseOtherFields(reasoning, REASONING_FIELDS, 'reasoning');
  return {
    ...(max != null && { max_completion_tokens: max }),
    ...(reasoning?.effort != null && { reasoning_effort: reasoning.effort }),
  };
}

/** How tools are called. Without tools Chat Completions refuses to be told, and there is nothing to tell. */
function callingOf(
  { tool_choice: choice, parallel_tool_calls: parallel }: ResponsesBody,
  hasTools: boolean,
): JsonObject {
  if (choice != null && !hasTools && choice !== 'auto' && choice !== 'none') throw new NoChatCounterpart('tool_choice');
  if (!hasTools) return {};
  return {
    ...(choice != null && { tool_choice: chatToolChoiceOf(choice, 'tool_choice') }),
    ...(parallel != null && { parallel_tool_calls: parallel }),
  };
}

function logprobsOf({ include, top_logprobs: top }: ResponsesBody): JsonObject {
  const included: unknown[] = Array.isArray(include) ? include : [];
  for (const [index, name] of included.entries()) {
    if (name !== LOGPROBS) throw new NoChatCounterpart(pathTo('include', index));
  }
  if (included.length === 0 && !top) return {};
  return { logprobs: true, ...(top != null && { top_logprobs: top }) };
}
