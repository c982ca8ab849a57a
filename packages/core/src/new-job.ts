/** From a checked request to the job to store: the queue found, defaults filled in, names that must exist looked up. */
import { ANYBODY } from './access.ts';
import type { Config } from './config.ts';
import type { QueueConfig } from './config-schema.ts';
import { InvalidRequestError } from './errors.ts';
import type { NewJob } from './job.ts';
import { invalidSchema, type JobRequest, parseJobRequest } from './job-request.ts';
import { manySchemaProblem } from './many-records.ts';
import { checkWebhookUrl } from './public-address.ts';
import { refuseRemembered } from './refuse-remembered.ts';
import { parseResponsesRequest, type ResponsesRequest } from './responses-request.ts';
import { pathTo } from './responses-request-fault.ts';
import { unregisteredTool } from './tool.ts';

/**
 * The job of one body, or NDJSON line, of POST /v1/jobs.
 * @param caller the name of the API key, to whom the job and its idempotency key belong; null: nobody's
 * @throws InvalidRequestError naming the field, its problem and the remedy.
 */
export function jobOfRequest(config: Config, body: unknown, caller: string | null, idempotencyHeader?: string): NewJob {
  const request = parseJobRequest(body, { extraFields: extraFieldsOf(config, body) });
  const [queue, settings] = queueFor(config, request.type, request.queue);
  const key = request.idempotency_key ?? checkedKey(idempotencyHeader);
  checkWebhook(config, request.webhook_url, 'webhook_url');
  const common = {
    queue,
    type: request.type,
    priority: request.priority ?? settings.priority,
    delayMs: Math.round((request.delay_seconds ?? 0) * 1000),
    deadline: deadlineMs(request.deadline, 'deadline'),
    metadata: (request.metadata as Record<string, string> | undefined) ?? null,
    webhookUrl: request.webhook_url ?? null,
    retryOf: null,
    stream: false,
    forget: false,
    batch: null,
    key: caller,
    ...(request.cache === undefined ? {} : { cache: request.cache }),
    idempotency: key === undefined ? null : { caller: caller ?? ANYBODY, key },
  };
  if (request.type === 'generate') {
    refuseRemembered(config, queue, request.request, 'request');
    refuseUnregistered(config, request.request, 'request');
    return { ...common, model: request.request.model ?? settings.model ?? null, body: request.request };
  }
  return { ...common, model: request.model ?? settings.model ?? null, body: extractBody(config, request) };
}

/** The job of POST /v1/responses: OpenAI's body, our options in headers. */
export function jobOfResponse(
  config: Config,
  body: unknown,
  caller: string | null,
  header: (name: string) => string | undefined,
): NewJob {
  const queueName = header('millrace-queue');
  const [queue, settings] = queueFor(config, 'generate', queueName, 'Millrace-Queue');
  const request = parseResponsesRequest(body, { extraFields: extraFieldsFor(config, header) });
  refuseForgottenBackground(request);
  refuseRemembered(config, queue, request, '');
  refuseUnregistered(config, request, '');
  const webhookUrl = header('millrace-webhook');
  checkWebhook(config, webhookUrl, 'Millrace-Webhook');
  const key = checkedKey(header('idempotency-key'));
  return {
    queue,
    type: 'generate',
    model: request.model ?? settings.model ?? null,
    priority: numberHeader(header('millrace-priority'), 'Millrace-Priority', 0, 9, true) ?? settings.priority,
    delayMs: Math.round((numberHeader(header('millrace-delay'), 'Millrace-Delay', 0, 366 * 86_400, false) ?? 0) * 1000),
    deadline: deadlineMs(header('millrace-deadline'), 'Millrace-Deadline'),
    metadata: (request.metadata as Record<string, string> | null | undefined) ?? null,
    webhookUrl: webhookUrl ?? null,
    retryOf: null,
    stream: request.stream === true,
    forget: request.store === false,
    batch: null,
    key: caller,
    ...cacheHeader(header('millrace-cache')),
    idempotency: key === undefined ? null : { caller: caller ?? ANYBODY, key },
    body: request,
  };
}

/** What the upstream of the queue that is asked for takes beyond OpenAI's fields. */
export function extraFieldsFor(config: Config, header: (name: string) => string | undefined): readonly string[] {
  const [, settings] = queueFor(config, 'generate', header('millrace-queue'), 'Millrace-Queue');
  return config.upstreams[settings.upstream]?.extraFields ?? [];
}

function refuseForgottenBackground(request: ResponsesRequest): void {
  if (request.background !== true || request.store !== false) return;
  throw new InvalidRequestError(
    "Unsupported value: 'store' cannot be false with background: true. Who reads it later needs it stored.",
    'store',
    'unsupported_value',
  );
}

/** A function that is only named is one that workers run: one they do not know would never be. */
function refuseUnregistered({ tools }: Config, request: ResponsesRequest, at: string): void {
  const place = unregisteredTool(request.tools, tools);
  if (place === null) return;
  const param = pathTo(pathTo(at, 'tools'), place);
  const { name } = (request.tools as { name?: unknown }[])[place] ?? {};
  const known = Object.keys(tools);
  throw new InvalidRequestError(
    `'${param}' names the function '${String(name).slice(0, 80)}' without 'parameters', and none of that name is registered in 'tools' of the configuration${known.length === 0 ? '' : ` (there is ${known.join(', ')})`}. Register it, or send its 'parameters'.`,
    param,
    'tool_not_registered',
  );
}

function checkWebhook(config: Config, url: string | undefined, param: string): void {
  if (url !== undefined) checkWebhookUrl(url, config.webhooks.allow, param);
}

function extraFieldsOf(config: Config, body: unknown): readonly string[] {
  const { queue, type } = (body ?? {}) as { queue?: unknown; type?: unknown };
  const settings = config.queues[String(queue ?? type)];
  return settings === undefined ? [] : (config.upstreams[settings.upstream]?.extraFields ?? []);
}

/** The queue asked for; else the one named like the type; else the only one. */
function queueFor(config: Config, type: string, asked: string | undefined, param = 'queue'): [string, QueueConfig] {
  const { queues } = config;
  const names = Object.keys(queues);
  const name = asked ?? (Object.hasOwn(queues, type) ? type : names.length === 1 ? names[0] : undefined);
  const settings = name !== undefined && Object.hasOwn(queues, name) ? queues[name] : undefined;
  if (name !== undefined && settings !== undefined) return [name, settings];
  throw new InvalidRequestError(
    name === undefined
      ? `No queue is named and none is called '${type}'. Name one of: ${names.join(', ')}.`
      : `There is no queue '${name.slice(0, 80)}'. The queues are: ${names.join(', ')}.`,
    param,
    'queue_not_found',
  );
}

function extractBody(config: Config, request: Extract<JobRequest, { type: 'extract' }>): NewJob['body'] {
  if (typeof request.schema === 'string' && !Object.hasOwn(config.schemas, request.schema)) {
    const names = Object.keys(config.schemas);
    throw new InvalidRequestError(
      `There is no schema '${request.schema}' in the configuration. ` +
        `${names.length === 0 ? 'None is configured' : `There is ${names.join(', ')}`}; or send {"name": "…", "schema": {…}}.`,
      'schema',
      'schema_not_found',
    );
  }
  const named = typeof request.schema === 'string' && request.many ? config.schemas[request.schema] : undefined;
  const found = named === undefined ? null : manySchemaProblem(named.jsonSchema);
  if (named !== undefined && found !== null) throw invalidSchema(named.name, found, 'schema');
  return {
    ...(request.document === undefined ? {} : { document: request.document }),
    ...(request.images === undefined ? {} : { images: request.images }),
    schema: request.schema,
    ...(request.many ? { many: true } : {}),
    ...(request.instructions === undefined ? {} : { instructions: request.instructions }),
    ...(request.max_output_tokens === undefined ? {} : { max_output_tokens: request.max_output_tokens }),
  };
}

function deadlineMs(text: string | undefined, param: string): number | null {
  if (text === undefined) return null;
  const ms = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (Number.isNaN(ms)) {
    throw new InvalidRequestError(
      `'${param}' is no RFC 3339 time with an offset, like 2027-01-31T18:00:00Z.`,
      param,
      'invalid_value',
    );
  }
  if (ms <= Date.now()) throw new InvalidRequestError(`'${param}' is in the past.`, param, 'invalid_value');
  return ms;
}

function cacheHeader(text: string | undefined): { cache?: boolean } {
  if (text === undefined) return {};
  if (text === 'on' || text === 'off') return { cache: text === 'on' };
  throw new InvalidRequestError("'Millrace-Cache' must be on or off.", 'Millrace-Cache', 'invalid_value');
}

/** @throws InvalidRequestError for what is no such number */
export function numberHeader(
  text: string | undefined,
  param: string,
  least: number,
  most: number,
  whole: boolean,
): number | undefined {
  if (text === undefined) return undefined;
  const number = text.trim() === '' ? Number.NaN : Number(text);
  if (number >= least && number <= most && (!whole || Number.isInteger(number))) return number;
  throw new InvalidRequestError(
    `'${param}' must be a ${whole ? 'whole ' : ''}number from ${least} to ${most}.`,
    param,
    'invalid_value',
  );
}

const MAX_KEY_CHARACTERS = 255;

/** @throws InvalidRequestError for a key of no, or too much, length */
export function checkedKey(key: string | undefined): string | undefined {
  if (key === undefined || (key.length > 0 && key.length <= MAX_KEY_CHARACTERS)) return key;
  throw new InvalidRequestError(
    `'Idempotency-Key' must have 1 to ${MAX_KEY_CHARACTERS} characters.`,
    'Idempotency-Key',
    'invalid_value',
  );
}
