/**
 * The native job of POST /v1/jobs: either a whole Responses request, or a document (text, images or both) and the schema to read out of it.
 * What passes is the very object that was sent.
 */

import * as z from 'zod';
import { checkImageList } from './check-images.ts';
import { InvalidRequestError } from './errors.ts';
import { HIGHEST_PRIORITY, LOWEST_PRIORITY } from './job.ts';
import { manySchemaProblem } from './many-records.ts';
import { parseResponsesRequest, RESPONSES_FIELDS, type ResponsesRequest } from './responses-request.ts';
import {
  DECIMAL,
  firstFault,
  invalidType,
  invalidValue,
  isJsonObject,
  missingParameter,
  pathTo,
  supportedValues,
  unknownParameter,
  VALUE_FAULT,
} from './responses-request-fault.ts';
import { checkMetadataBounds, Metadata } from './responses-request-metadata.ts';
import { checkStrictSchema, SCHEMA_NAME_PATTERN, type SchemaProblem } from './strict-schema.ts';

/** A longer delay is a mistake in the unit (milliseconds for seconds). */
export const MAX_DELAY_SECONDS = 366 * 24 * 60 * 60;
export const MAX_IDEMPOTENCY_KEY_CHARACTERS = 255;
/** What servers and proxies on the way are known to carry. */
const MAX_WEBHOOK_URL_CHARACTERS = 2_048;

const maybe = z.exactOptional;

const DEADLINE_ADVICE = "Expected an RFC 3339 time with an offset, like '2027-01-31T18:00:00Z'";
const WEBHOOK_ADVICE = 'Expected an http or https URL';

/** What every job may say about itself, whichever way it comes in. */
export const JobOptions = z.object({
  queue: maybe(z.string().min(1)),
  priority: maybe(z.int().min(HIGHEST_PRIORITY).max(LOWEST_PRIORITY)),
  delay_seconds: maybe(z.number().min(0, DECIMAL).max(MAX_DELAY_SECONDS, DECIMAL)),
  deadline: maybe(z.iso.datetime({ offset: true, error: DEADLINE_ADVICE })),
  webhook_url: maybe(
    z.string().max(MAX_WEBHOOK_URL_CHARACTERS).refine(isHttpUrl, { error: WEBHOOK_ADVICE, params: VALUE_FAULT }),
  ),
  metadata: maybe(Metadata),
  cache: maybe(z.boolean()),
  idempotency_key: maybe(z.string().min(1).max(MAX_IDEMPOTENCY_KEY_CHARACTERS)),
});
export type JobOptions = z.infer<typeof JobOptions>;

export const GenerateJob = z.object({
  type: z.literal('generate'),
  request: z.custom<ResponsesRequest>(isJsonObject, 'an object'),
  ...JobOptions.shape,
});
export type GenerateJob = z.infer<typeof GenerateJob>;

/** A schema sent along instead of the name of a configured one. */
export const InlineSchema = z.object({
  name: z.string(),
  schema: z.custom<Record<string, unknown>>(isJsonObject, 'an object'),
});
export type InlineSchema = z.infer<typeof InlineSchema>;

export const ExtractJob = z.object({
  type: z.literal('extract'),
  /** Either this or `images` must be there, and both may be. */
  document: maybe(z.string().min(1)),
  /** URLs and data URIs. */
  images: maybe(z.array(z.string())),
  schema: z.custom<string | InlineSchema>(
    (value) => typeof value === 'string' || isJsonObject(value),
    'a string or an object',
  ),
  /** All records of this schema that the document has, as a list. */
  many: maybe(z.boolean()),
  instructions: maybe(z.string()),
  model: maybe(z.string().min(1)),
  max_output_tokens: maybe(z.int().min(1)),
  ...JobOptions.shape,
});
export type ExtractJob = z.infer<typeof ExtractJob>;

export const JobRequest = z.discriminatedUnion('type', [GenerateJob, ExtractJob]);
export type JobRequest = z.infer<typeof JobRequest>;

const JOB_TYPES: ReadonlyMap<unknown, ReadonlySet<string>> = new Map([
  ['generate', new Set(Object.keys(GenerateJob.shape))],
  ['extract', new Set(Object.keys(ExtractJob.shape))],
]);
const INLINE_SCHEMA_FIELDS: ReadonlySet<string> = new Set(Object.keys(InlineSchema.shape));

const INLINE_SCHEMA_HINT = '\'schema\' is the name of a configured schema or {"name": "…", "schema": {…}}.';

/** Of a Responses request, but not of one inside a job: a job always runs in the background and is read later. */
const CONNECTION_FIELDS = ['stream', 'background'] as const;

/**
 * Accepts or refuses a native job; the answer is `body` itself. Whether the queue and a schema's name exist is for
 * whoever holds the configuration.
 *
 * @param options.extraFields fields beyond OpenAI's own that the upstream takes inside `request`.
 * @throws InvalidRequestError for the first fault found; `param` is the path in the job: `request.input[0].role`.
 */
export function parseJobRequest(body: unknown, options: { extraFields?: readonly string[] } = {}): JobRequest {
  if (!isJsonObject(body)) throw invalidType('', 'an object', body);
  const fields = JOB_TYPES.get(body.type);
  if (fields === undefined) {
    const supported = supportedValues([...JOB_TYPES.keys()]);
    throw body.type === undefined ? missingParameter('type', supported) : invalidValue('type', body.type, supported);
  }
  for (const field of Object.keys(body)) {
    if (!fields.has(field)) throw unknownParameter(field, jobFieldHint(field, body.type));
  }
  const parsed = JobRequest.safeParse(body);
  if (!parsed.success) throw firstFault(parsed.error, body, '');
  // `parsed.data` is a copy in another key order; what is stored is what was sent.
  const job = body as JobRequest;

  if (job.metadata !== undefined) checkMetadataBounds(job.metadata, 'metadata');
  if (job.type === 'generate') checkGenerate(job, options.extraFields);
  else checkExtract(job);
  return job;
}

function jobFieldHint(field: string, type: unknown): string | undefined {
  if (type !== 'generate' || !RESPONSES_FIELDS.has(field)) return undefined;
  return "In a generate job it belongs inside 'request'.";
}

function checkGenerate(job: GenerateJob, extraFields: readonly string[] | undefined): void {
  const request = parseResponsesRequest(job.request, { at: 'request', ...(extraFields && { extraFields }) });
  for (const field of CONNECTION_FIELDS) {
    if (request[field] !== true) continue;
    throw new InvalidRequestError(
      `Unsupported value: '${pathTo('request', field)}' cannot be true in a job. A job always runs in the background; read its result and events from the job, or send the request to POST /v1/responses.`,
      pathTo('request', field),
      'unsupported_value',
    );
  }
}

function checkExtract({ document, images, schema, many = false }: ExtractJob): void {
  if (document === undefined && images === undefined) {
    throw missingParameter(
      'document',
      "An extract job has a 'document' (text), 'images' (URLs or data URIs), or both.",
    );
  }
  if (images?.length === 0) {
    throw new InvalidRequestError(
      "Invalid 'images': empty array. Expected an array with minimum length 1, but got an empty array instead.",
      'images',
      'empty_array',
    );
  }
  if (typeof schema === 'string') checkSchemaName(schema, 'schema');
  else checkInlineSchema(schema, many);
  if (images !== undefined) checkImageList(images, 'images');
}

function checkSchemaName(name: string, path: string): void {
  if (SCHEMA_NAME_PATTERN.test(name)) return;
  throw invalidValue(path, name, 'A schema name has 1 to 64 letters, digits, underscores and dashes.');
}

/** An extract job always runs in strict mode, so what strict mode refuses is refused before it is stored. */
function checkInlineSchema(inline: InlineSchema, many: boolean): void {
  for (const field of Object.keys(inline)) {
    if (!INLINE_SCHEMA_FIELDS.has(field)) throw unknownParameter(pathTo('schema', field), INLINE_SCHEMA_HINT);
  }
  const parsed = InlineSchema.safeParse(inline);
  if (!parsed.success) throw firstFault(parsed.error, inline, 'schema');
  checkSchemaName(inline.name, 'schema.name');
  const found = checkStrictSchema(inline.schema) ?? (many ? manySchemaProblem(inline.schema) : null);
  if (found !== null) throw invalidSchema(inline.name, found, 'schema.schema');
}

/** @param at path of the schema in the job */
export function invalidSchema(name: string, { path, problem }: SchemaProblem, at: string): InvalidRequestError {
  const where = path === '' ? 'it' : `'${path}'`;
  return new InvalidRequestError(
    `Invalid schema '${name}': ${where} ${problem}.`,
    path === '' ? at : `${at}.${path}`,
    'invalid_json_schema',
  );
}

function isHttpUrl(value: string): boolean {
  // URL.parse forgives spaces and line breaks around and inside; what is stored must be what is called.
  if (/\s/.test(value)) return false;
  const url = URL.parse(value);
  return url !== null && (url.protocol === 'https:' || url.protocol === 'http:');
}
