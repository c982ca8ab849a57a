/**
 * A Chat Completions request as the Responses request that asks for the same. Nothing is ignored: a field is converted,
 * asks for nothing, or is refused by name. Defaults that differ between the APIs (store, strict) are written out.
 */

import { checkChatImages } from '../check-images.ts';
import { InvalidRequestError } from '../errors.ts';
import { RESPONSES_FIELDS, type ResponsesRequest } from '../responses-request.ts';
import { type JsonObject, pathTo } from '../responses-request-fault.ts';
import { CHAT_FIELDS, type ChatRequest, parseChatRequest } from './chat-request.ts';
import { inputItemsOf } from './input-items-of.ts';
import { NO_COUNTERPART, refuseNoCounterpart, unsupported } from './no-counterpart.ts';
import { textOf } from './text-of.ts';
import { functionChoiceOf, functionsOf, toolChoiceOf, toolsOf, webSearchToolOf } from './tools-of.ts';

/** Fields of one name and meaning in both APIs. */
const SHARED_FIELDS = [
  'metadata',
  'model',
  'moderation',
  'parallel_tool_calls',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
  'safety_identifier',
  'service_tier',
  'temperature',
  'top_p',
  'user',
] as const satisfies (keyof ChatRequest & keyof ResponsesRequest)[];

export interface ConvertedChatRequest {
  /** Passes parseResponsesRequest; has no `stream`. */
  request: ResponsesRequest;
  stream: boolean;
  /** Whether the stream ends with a chunk of usage (`stream_options.include_usage`). */
  includeUsage: boolean;
  /** The client speaks of deprecated `functions`: a call is answered as `function_call`, not as `tool_calls`. */
  functionCall: boolean;
}

export interface ConvertChatOptions {
  /** Top-level fields beyond the Responses API's own that the upstream takes (`seed`, `stop`); passed on unread. */
  extraFields?: readonly string[];
  /** Where `body` stands in what the caller sent, for `param` and messages: `body` in a batch line. */
  at?: string;
  /** Its images were found to be right before. */
  imagesChecked?: boolean;
}

/**
 * @throws InvalidRequestError for the first thing that is malformed or cannot be kept; `param` is its path in `body`.
 */
export function responsesRequestOf(body: unknown, options: ConvertChatOptions = {}): ConvertedChatRequest {
  const { at = '' } = options;
  const extraFields = (options.extraFields ?? []).filter(isPassedOn);
  const chat = parseChatRequest(body, extraFields, at);
  refuseNoCounterpart(chat, extraFields, at);
  const functionCall = isFilled(chat.functions);
  const request: JsonObject = { input: inputOf(chat, at), store: chat.store === true };
  for (const field of SHARED_FIELDS) if (chat[field] != null) request[field] = chat[field];
  for (const field of extraFields) {
    const value = (chat as JsonObject)[field];
    if (value != null) request[field] = value;
  }
  // The deprecated shape has room for one call.
  if (functionCall) request.parallel_tool_calls = false;
  setIfDefined(request, 'max_output_tokens', maxOutputTokensOf(chat, at));
  setIfDefined(request, 'reasoning', chat.reasoning_effort == null ? undefined : { effort: chat.reasoning_effort });
  setIfDefined(request, 'text', textOf(chat, at));
  setIfDefined(request, 'tools', allToolsOf(chat, at));
  setIfDefined(request, 'tool_choice', choiceOf(chat, at));
  Object.assign(request, logprobsOf(chat, at));
  if (options.imagesChecked !== true) checkChatImages(chat.messages, pathTo(at, 'messages'));
  return {
    request,
    stream: chat.stream === true,
    includeUsage: chat.stream_options?.include_usage === true,
    functionCall,
  };
}

/** An extra field is passed on only under a name that means nothing else: what is converted goes by its new name. */
function isPassedOn(field: string): boolean {
  return !RESPONSES_FIELDS.has(field) && (!CHAT_FIELDS.has(field) || NO_COUNTERPART.has(field));
}

/** Clients send an empty list where they have no tools. */
function isFilled(list: readonly unknown[] | null | undefined): boolean {
  return list != null && list.length > 0;
}

function setIfDefined(request: JsonObject, field: keyof ResponsesRequest, value: unknown): void {
  if (value !== undefined) request[field] = value;
}

function inputOf({ messages }: ChatRequest, at: string): JsonObject[] {
  const path = pathTo(at, 'messages');
  if (messages.length === 0) {
    throw new InvalidRequestError(
      `Invalid '${path}': empty array. Expected an array with minimum length 1, but got an empty array instead.`,
      path,
      'empty_array',
    );
  }
  return inputItemsOf(messages, path);
}

/**
 * OpenAI's Responses API takes no less than 16, other servers do. A smaller number goes upstream as it is: raised, a
 * client that asked for one token would get more without being told; refused, it would fail where it need not.
 */
function maxOutputTokensOf(chat: ChatRequest, at: string): number | undefined {
  const { max_tokens: old, max_completion_tokens: max } = chat;
  if (old != null && max != null && old !== max) {
    throw unsupported(pathTo(at, 'max_tokens'), "Use 'max_completion_tokens' instead, and not both.");
  }
  return max ?? old ?? undefined;
}

function allToolsOf(chat: ChatRequest, at: string): JsonObject[] | undefined {
  if (isFilled(chat.functions) && isFilled(chat.tools)) throw exclusive(pathTo(at, 'functions'), pathTo(at, 'tools'));
  const tools = [
    ...toolsOf(chat.tools ?? [], pathTo(at, 'tools')),
    ...functionsOf(chat.functions ?? [], pathTo(at, 'functions')),
  ];
  const search = chat.web_search_options;
  if (search != null) tools.push(webSearchToolOf(search, pathTo(at, 'web_search_options')));
  return tools.length === 0 ? undefined : tools;
}

function choiceOf(chat: ChatRequest, at: string): string | JsonObject | undefined {
  const { tool_choice: choice, function_call: old } = chat;
  if (choice != null && old != null) throw exclusive(pathTo(at, 'function_call'), pathTo(at, 'tool_choice'));
  if (choice != null) return toolChoiceOf(choice, pathTo(at, 'tool_choice'));
  return old == null ? undefined : functionChoiceOf(old, pathTo(at, 'function_call'));
}

function exclusive(path: string, other: string): InvalidRequestError {
  return new InvalidRequestError(
    `Mutually exclusive parameters: '${path}' and '${other}'. Send one of them.`,
    path,
    'mutually_exclusive_parameters',
  );
}

function logprobsOf(chat: ChatRequest, at: string): JsonObject {
  const { top_logprobs: top } = chat;
  if (chat.logprobs === true) {
    return { include: ['message.output_text.logprobs'], ...(top != null && { top_logprobs: top }) };
  }
  if (top) {
    const path = pathTo(at, 'top_logprobs');
    throw new InvalidRequestError(
      `Invalid '${path}': '${pathTo(at, 'logprobs')}' must be true when it is set.`,
      path,
      'invalid_value',
    );
  }
  return {};
}
