/**
 * The body of POST /v1/chat/completions: every field of the SDK's ChatCompletionCreateParams (a type test pins the
 * list), scalars checked as OpenAI documents them. Null is absence for all but `messages` and `model`: many clients
 * send what they were not given as null.
 */

import * as z from 'zod';
import { ResponsesRequest } from '../responses-request.ts';
import {
  DECIMAL,
  firstFault,
  invalidType,
  isJsonObject,
  type JsonObject,
  pathTo,
  unknownParameter,
} from '../responses-request-fault.ts';
import { checkMetadataBounds } from '../responses-request-metadata.ts';

/** OpenAI's documented bound of both penalties, to either side. */
const MAX_PENALTY = 2;

const maybe = z.exactOptional;
const anObject = maybe(z.custom<JsonObject>(isJsonObject, 'an object').nullable());
const objects = z.custom<JsonObject[]>(Array.isArray, 'an array of objects');
const aBoolean = maybe(z.boolean().nullable());
const aString = maybe(z.string().nullable());
const tokens = maybe(z.int().min(1).nullable());
const penalty = maybe(z.number().min(-MAX_PENALTY, DECIMAL).max(MAX_PENALTY, DECIMAL).nullable());
const textOrObject = maybe(
  z
    .custom<string | JsonObject>((value) => typeof value === 'string' || isJsonObject(value), 'a string or an object')
    .nullable(),
);

/** Fields that mean the same in both APIs are bounded alike. */
const { shape } = ResponsesRequest;

export const ChatRequest = z.object({
  audio: anObject,
  frequency_penalty: penalty,
  function_call: textOrObject,
  functions: maybe(objects.nullable()),
  logit_bias: anObject,
  logprobs: aBoolean,
  max_completion_tokens: tokens,
  max_tokens: tokens,
  messages: objects,
  metadata: shape.metadata,
  modalities: maybe(z.array(z.string()).nullable()),
  /** Optional here: the queue has a default. */
  model: shape.model,
  moderation: shape.moderation,
  n: maybe(z.int().min(1).nullable()),
  parallel_tool_calls: aBoolean,
  prediction: anObject,
  presence_penalty: penalty,
  prompt_cache_key: shape.prompt_cache_key,
  prompt_cache_options: anObject,
  prompt_cache_retention: shape.prompt_cache_retention,
  reasoning_effort: aString,
  response_format: anObject,
  safety_identifier: shape.safety_identifier,
  seed: maybe(z.number().nullable()),
  service_tier: shape.service_tier,
  stop: maybe(z.union([z.string(), z.array(z.string())], 'a string or an array of strings').nullable()),
  store: aBoolean,
  stream: aBoolean,
  stream_options: anObject,
  temperature: shape.temperature,
  tool_choice: textOrObject,
  tools: maybe(objects.nullable()),
  top_logprobs: shape.top_logprobs,
  top_p: shape.top_p,
  user: aString,
  verbosity: aString,
  web_search_options: anObject,
});
export type ChatRequest = z.infer<typeof ChatRequest>;

export const CHAT_FIELDS: ReadonlySet<string> = new Set(Object.keys(ChatRequest.shape));

const calls = (name: string) => `Chat Completions calls this '${name}'.`;
const responsesOnly = 'Chat Completions has none; POST /v1/responses takes it.';

/** What the Responses API takes under another name, or only it takes. */
const HINTS: ReadonlyMap<string, string> = new Map([
  ['input', calls('messages')],
  ['instructions', `${calls('messages')} Send a message of the role 'developer'.`],
  ['max_output_tokens', calls('max_completion_tokens')],
  ['text', calls('response_format')],
  ['reasoning', calls('reasoning_effort')],
  ['background', responsesOnly],
  ['conversation', responsesOnly],
  ['include', responsesOnly],
  ['max_tool_calls', responsesOnly],
  ['previous_response_id', responsesOnly],
  ['prompt', responsesOnly],
  ['truncation', responsesOnly],
]);
const EXTRA_FIELD_HINT = "If your upstream takes it, list it in the upstream's extraFields.";

/**
 * Accepts or refuses the surface of a Chat Completions body; messages, tools and formats are looked into by whoever
 * converts them. The answer is `body` itself.
 *
 * @throws InvalidRequestError for the first fault found, with OpenAI's message, `param` path and `code`.
 */
export function parseChatRequest(body: unknown, extraFields: readonly string[], at: string): ChatRequest {
  if (!isJsonObject(body)) throw invalidType(at, 'an object', body);
  for (const field of Object.keys(body)) {
    if (CHAT_FIELDS.has(field) || extraFields.includes(field)) continue;
    throw unknownParameter(pathTo(at, field), HINTS.get(field) ?? EXTRA_FIELD_HINT);
  }
  const parsed = ChatRequest.safeParse(body);
  if (!parsed.success) throw firstFault(parsed.error, body, at);
  const request = body as ChatRequest;
  if (request.metadata) checkMetadataBounds(request.metadata, pathTo(at, 'metadata'));
  return request;
}
