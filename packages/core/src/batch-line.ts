/** One line of a batch's input, checked; and the time a batch is given. */
import { responsesRequestOf } from './chat-completions/responses-request-of.ts';
import { InvalidRequestError } from './errors.ts';
import { parseGuardedJson } from './guarded-json.ts';
import { parseResponsesRequest, type ResponsesRequest } from './responses-request.ts';
import {
  invalidType,
  invalidValue,
  isJsonObject,
  missingParameter,
  unknownParameter,
} from './responses-request-fault.ts';

export const BATCH_ENDPOINTS = ['/v1/responses', '/v1/chat/completions'] as const;
export type BatchEndpoint = (typeof BATCH_ENDPOINTS)[number];

export interface BatchLine {
  customId: string;
  /** What is to be asked. */
  request: ResponsesRequest;
}

const FIELDS: ReadonlySet<string> = new Set(['custom_id', 'method', 'url', 'body']);
/** Of a response, but of none whose answer goes into a file. */
const CONNECTION_FIELDS = ['stream', 'background'] as const;
const MAX_CUSTOM_ID_CHARACTERS = 512;

/**
 * @param extraFields of a request beyond OpenAI's own, which the upstream takes
 * @throws InvalidRequestError for the first fault; `param` is its path in the line
 */
export function parseBatchLine(text: string, endpoint: BatchEndpoint, extraFields: readonly string[]): BatchLine {
  const line = parseGuardedJson(text);
  if (!isJsonObject(line)) throw invalidType('', 'an object', line);
  for (const field of Object.keys(line)) if (!FIELDS.has(field)) throw unknownParameter(field);
  const { custom_id: customId, method, url, body } = line;
  if (customId === undefined) throw missingParameter('custom_id');
  if (typeof customId !== 'string') throw invalidType('custom_id', 'a string', customId);
  if (customId === '' || customId.length > MAX_CUSTOM_ID_CHARACTERS) {
    throw invalidValue('custom_id', customId, `It must have 1 to ${MAX_CUSTOM_ID_CHARACTERS} characters.`);
  }
  if (method === undefined) throw missingParameter('method');
  if (method !== 'POST') throw invalidValue('method', method, "The only supported value is 'POST'.");
  if (url === undefined) throw missingParameter('url');
  if (url !== endpoint) throw invalidValue('url', url, `It must be the batch's endpoint, '${endpoint}'.`);
  if (body === undefined) throw missingParameter('body');
  if (!isJsonObject(body)) throw invalidType('body', 'an object', body);
  for (const field of CONNECTION_FIELDS) {
    if (body[field] === true) throw invalidValue(`body.${field}`, true, 'The answer goes into a file.');
  }
  if (endpoint === '/v1/chat/completions') {
    return { customId, request: responsesRequestOf(body, { at: 'body', extraFields }).request };
  }
  return { customId, request: parseResponsesRequest(body, { at: 'body', extraFields }) };
}

/**
 * The same of a line that was found to be right before, without checking it once more.
 * @throws InvalidRequestError where the settings have changed since, so that it would not be right now
 */
export function readCheckedLine(text: string, endpoint: BatchEndpoint, extraFields: readonly string[]): BatchLine {
  const { custom_id: customId, body } = JSON.parse(text) as { custom_id: string; body: ResponsesRequest };
  if (endpoint === '/v1/responses') return { customId, request: body };
  return { customId, request: responsesRequestOf(body, { at: 'body', extraFields, imagesChecked: true }).request };
}

const UNITS: Record<string, number> = { m: 60, h: 3600, d: 86_400 };
const WINDOW_SECONDS = { least: 60, most: 30 * 86_400 };

/** @throws InvalidRequestError for what is no time of a minute to thirty days */
export function windowSeconds(window: unknown): number {
  const [, count, unit] = /^(\d{1,5})([mhd])$/.exec(typeof window === 'string' ? window : '') ?? [];
  const seconds = Number(count) * (UNITS[unit ?? ''] ?? Number.NaN);
  if (seconds >= WINDOW_SECONDS.least && seconds <= WINDOW_SECONDS.most) return seconds;
  if (window === undefined) throw missingParameter('completion_window');
  throw new InvalidRequestError(
    "Invalid 'completion_window': expected a time like '24h', '90m' or '7d', from one minute to thirty days.",
    'completion_window',
    'invalid_value',
  );
}
