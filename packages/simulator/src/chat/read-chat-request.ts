/**
 * A chat request as the create request that asks for the same, checked as one. What only steers sampling (`seed`, `stop`,
 * penalties, `logit_bias`) is taken and changes nothing; deprecated `functions`, audio and several choices are refused.
 */
import { isReasoningModel } from '../answer/reasoning.ts';
import { isObject, type JsonObject } from '../json.ts';
import { checkField, type FieldRule } from '../request/fields.ts';
import { badParameter, RefusedRequest } from '../request/refused.ts';
import { type CreateRequest, readCreateRequest } from '../request/validate.ts';
import { inputOf } from './input-of.ts';
import { textOf, toolChoiceOf, toolsOf } from './tools-of.ts';

/** Of one name and meaning in both APIs; the create request's own rules check them. */
const SHARED = [
  'metadata',
  'model',
  'parallel_tool_calls',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
  'safety_identifier',
  'service_tier',
  'temperature',
  'top_logprobs',
  'top_p',
  'user',
] as const;

const OWN: Record<string, FieldRule> = {
  frequency_penalty: { kind: 'number', min: -2, max: 2 },
  logit_bias: { kind: 'object' },
  logprobs: { kind: 'boolean' },
  max_completion_tokens: { kind: 'integer', min: 1 },
  max_tokens: { kind: 'integer', min: 1 },
  messages: { kind: 'any' },
  modalities: { kind: 'array' },
  moderation: { kind: 'object' },
  n: { kind: 'integer', min: 1 },
  prediction: { kind: 'object' },
  presence_penalty: { kind: 'number', min: -2, max: 2 },
  reasoning_effort: { kind: 'string' },
  response_format: { kind: 'object' },
  seed: { kind: 'integer' },
  stop: { kind: 'any' },
  store: { kind: 'boolean' },
  stream: { kind: 'boolean' },
  stream_options: { kind: 'object' },
  tool_choice: { kind: 'any' },
  tools: { kind: 'array' },
  verbosity: { kind: 'string' },
  web_search_options: { kind: 'object' },
};
const REFUSED = ['audio', 'functions', 'function_call'];
/** How a part of the create request is called in a chat's. */
const NAMES: [pattern: RegExp, name: string][] = [
  [/\btext\.format\.(name|schema|strict)\b/g, 'response_format.json_schema.$1'],
  [/\btext\.format\b/g, 'response_format'],
  [/\breasoning\.effort\b/g, 'reasoning_effort'],
  [/^input\b|(?<=')input\b/g, 'messages'],
];

export interface ChatRequest {
  request: CreateRequest;
  /** The stream ends with a chunk of usage. */
  includeUsage: boolean;
}

function checkFields(chat: JsonObject): void {
  const shared: readonly string[] = SHARED;
  for (const [name, value] of Object.entries(chat)) {
    const rule = Object.hasOwn(OWN, name) ? OWN[name] : undefined;
    if (rule) checkField(name, value, rule);
    else if (REFUSED.includes(name) && value !== null) {
      throw badParameter(`Unsupported parameter: '${name}' is not supported here.`, name, 'unsupported_parameter');
    } else if (!shared.includes(name) && !REFUSED.includes(name)) {
      throw badParameter(`Unknown parameter: '${name}'.`, name, 'unknown_parameter');
    }
  }
  if ((chat.n ?? 1) !== 1) {
    throw badParameter(
      `Unsupported value: 'n' does not support ${chat.n} here. Only the default (1) value is supported.`,
      'n',
      'unsupported_value',
    );
  }
  if (isObject(chat.stream_options) && chat.stream !== true) {
    throw badParameter("The 'stream_options' parameter is only allowed when 'stream' is enabled.", 'stream_options');
  }
}

function maxTokensOf(chat: JsonObject): number | undefined {
  const { max_tokens: former, max_completion_tokens: max } = chat;
  if (typeof former === 'number' && isReasoningModel(String(chat.model))) {
    throw badParameter(
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      'max_tokens',
      'unsupported_parameter',
    );
  }
  const given = max ?? former;
  return typeof given === 'number' ? given : undefined;
}

function bodyOf(chat: JsonObject): JsonObject {
  const effort = chat.reasoning_effort ?? undefined;
  const fields = {
    ...Object.fromEntries(SHARED.map((name) => [name, chat[name]])),
    input: inputOf(chat.messages),
    tools: toolsOf(chat),
    tool_choice: toolChoiceOf(chat.tool_choice),
    text: textOf(chat),
    reasoning: effort === undefined ? undefined : { effort },
    stream: chat.stream,
    store: false,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
}

/** Runs what knows the create request only; what it refuses is told with the chat's names for what is at fault. */
export function inChatNames<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof RefusedRequest)) throw error;
    const rename = (text: string) => NAMES.reduce((renamed, [pattern, name]) => renamed.replace(pattern, name), text);
    const { message, type, param, code } = error.body.error;
    const details = { type, code, param: param === null ? null : rename(param) };
    throw new RefusedRequest(error.status, rename(message), details);
  }
}

/** Reads a chat request. Throws a RefusedRequest (400) with the first thing OpenAI would refuse. */
export function readChatRequest(chat: JsonObject): ChatRequest {
  checkFields(chat);
  const maxOutputTokens = maxTokensOf(chat);
  const body = bodyOf(chat);
  const checked = inChatNames(() => readCreateRequest(body, { background: false }));
  // Not in the body that is checked: a chat may ask for a single token, a response for no less than 16.
  const request = { ...checked, maxOutputTokens };
  return { request, includeUsage: isObject(chat.stream_options) && chat.stream_options.include_usage === true };
}
