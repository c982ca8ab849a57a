/**
 * The body of POST /v1/responses: every field of the SDK's ResponseCreateParams (a type test pins the list), scalars
 * checked as OpenAI documents them, images whole, other deep content only at its surface. What passes is the very object that was
 * sent: nothing dropped, coerced or defaulted.
 */

import * as z from 'zod';
import { checkImages } from './check-images.ts';
import { checkStrictFormat } from './check-strict-format.ts';
import { InvalidRequestError } from './errors.ts';
import { FIELD_HINTS, refuseWrongNames } from './request-hints.ts';
import {
  DECIMAL,
  firstFault,
  invalidType,
  isJsonObject,
  type JsonObject,
  missingParameter,
  pathTo,
  unknownParameter,
} from './responses-request-fault.ts';
import { checkItems, checkTools } from './responses-request-items.ts';
import { checkMetadataBounds, Metadata } from './responses-request-metadata.ts';

/** OpenAI's documented bound of `safety_identifier`. */
const MAX_SAFETY_IDENTIFIER_CHARACTERS = 128;
/** OpenAI's documented bound of `top_logprobs`. */
const MAX_TOP_LOGPROBS = 20;
/** OpenAI's documented bound of `temperature`. */
const MAX_TEMPERATURE = 2;

/** Deep content: its inside is the upstream's to judge. */
const anObject = z.custom<JsonObject>(isJsonObject, 'an object');
const objects = z.custom<JsonObject[]>(Array.isArray, 'an array of objects');
const textOrObject = z.custom<string | JsonObject>(
  (value) => typeof value === 'string' || isJsonObject(value),
  'a string or an object',
);
const textOrObjects = z.custom<string | JsonObject[]>(
  (value) => typeof value === 'string' || Array.isArray(value),
  'a string or an array of objects',
);

/** Absent or of this type; JSON has no `undefined`. */
const maybe = z.exactOptional;

/**
 * Fields and their types. Use parseResponsesRequest: zod alone would drop an unknown field in silence and looks into
 * neither items nor tools.
 */
export const ResponsesRequest = z.object({
  access_programs: maybe(anObject),
  background: maybe(z.boolean().nullable()),
  context_management: maybe(objects.nullable()),
  conversation: maybe(textOrObject.nullable()),
  image: maybe(anObject),
  include: maybe(z.array(z.string()).nullable()),
  input: maybe(textOrObjects),
  instructions: maybe(z.string().nullable()),
  max_output_tokens: maybe(z.int().min(1).nullable()),
  max_tool_calls: maybe(z.int().min(0).nullable()),
  metadata: maybe(Metadata.nullable()),
  /** Optional here: the queue has a default. */
  model: maybe(z.string().min(1)),
  moderation: maybe(anObject.nullable()),
  parallel_tool_calls: maybe(z.boolean().nullable()),
  previous_response_id: maybe(z.string().nullable()),
  prompt: maybe(z.looseObject({ id: z.string() }).nullable()),
  prompt_cache_key: maybe(z.string().nullable()),
  prompt_cache_options: maybe(anObject),
  prompt_cache_retention: maybe(z.enum(['in_memory', '24h']).nullable()),
  reasoning: maybe(anObject.nullable()),
  safety_identifier: maybe(z.string().max(MAX_SAFETY_IDENTIFIER_CHARACTERS).nullable()),
  service_tier: maybe(z.enum(['auto', 'default', 'flex', 'scale', 'priority', 'fast', 'ultrafast']).nullable()),
  store: maybe(z.boolean().nullable()),
  stream: maybe(z.boolean().nullable()),
  stream_options: maybe(anObject.nullable()),
  temperature: maybe(z.number().min(0, DECIMAL).max(MAX_TEMPERATURE, DECIMAL).nullable()),
  text: maybe(anObject),
  tool_choice: maybe(textOrObject),
  tools: maybe(objects),
  top_logprobs: maybe(z.int().min(0).max(MAX_TOP_LOGPROBS).nullable()),
  top_p: maybe(z.number().min(0, DECIMAL).max(1, DECIMAL).nullable()),
  truncation: maybe(z.enum(['auto', 'disabled']).nullable()),
  user: maybe(z.string()),
});
export type ResponsesRequest = z.infer<typeof ResponsesRequest>;

/** The names of all fields, for whoever must tell a Responses field from another. */
export const RESPONSES_FIELDS: ReadonlySet<string> = new Set(Object.keys(ResponsesRequest.shape));

/** Any of these brings its own input, so `input` may be absent beside it. */
const CONTEXT_FIELDS = ['previous_response_id', 'conversation', 'prompt'] as const;

export interface ParseResponsesOptions {
  /** Top-level fields beyond OpenAI's own that the upstream takes; passed through unread. */
  extraFields?: readonly string[];
  /** Where `body` stands in what the caller sent, for `param` and messages: `request` in a native job. */
  at?: string;
}

/**
 * Accepts or refuses a Responses body; the answer is `body` itself.
 *
 * @throws InvalidRequestError for the first fault found, with OpenAI's message, `param` path and `code`.
 */
export function parseResponsesRequest(body: unknown, options: ParseResponsesOptions = {}): ResponsesRequest {
  const { extraFields, at = '' } = options;
  if (!isJsonObject(body)) throw invalidType(at, 'an object', body);
  for (const field of Object.keys(body)) {
    if (RESPONSES_FIELDS.has(field) || extraFields?.includes(field) === true) continue;
    throw unknownParameter(pathTo(at, field), FIELD_HINTS.get(field));
  }
  const parsed = ResponsesRequest.safeParse(body);
  if (!parsed.success) throw firstFault(parsed.error, body, at);
  // `parsed.data` is a copy in another key order; the caller's own object is what must go upstream.
  const request = body as ResponsesRequest;

  refuseWrongNames(request, at);
  if (request.metadata) checkMetadataBounds(request.metadata, pathTo(at, 'metadata'));
  if (typeof request.input === 'object') checkItems(request.input, pathTo(at, 'input'));
  if (request.tools !== undefined) checkTools(request.tools, pathTo(at, 'tools'));
  const format = isJsonObject(request.text) ? request.text.format : null;
  if (isJsonObject(format) && format.type === 'json_schema') checkStrictFormat(format, pathTo(at, 'text.format'));
  checkContext(request, at);
  checkImages(request, at);
  return request;
}

function checkContext(request: ResponsesRequest, at: string): void {
  if (request.input === undefined && CONTEXT_FIELDS.every((field) => request[field] == null)) {
    throw missingParameter(
      pathTo(at, 'input'),
      "Only a request with 'previous_response_id', 'conversation' or 'prompt' can do without it.",
    );
  }
  if (request.conversation != null && request.previous_response_id != null) {
    const path = pathTo(at, 'previous_response_id');
    throw new InvalidRequestError(
      `Mutually exclusive parameters: '${path}' and '${pathTo(at, 'conversation')}'. Send one of them.`,
      path,
      'mutually_exclusive_parameters',
    );
  }
}
