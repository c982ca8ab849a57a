/** The Responses API's `text` as `response_format` and `verbosity`. */

import { isJsonObject, type JsonObject, pathTo } from '../responses-request-fault.ts';
import type { ChatRequestBody, ResponseFormat } from './chat-request-body.ts';
import { NoChatCounterpart, neededString, refuseOtherFields } from './no-chat-counterpart.ts';

const TEXT_FIELDS: ReadonlySet<string> = new Set(['format', 'verbosity']);
const PLAIN_FIELDS: ReadonlySet<string> = new Set(['type']);

/** @throws NoChatCounterpart for a format that Chat Completions has not; `path` is that of `text`. */
export function chatFormatOf(text: unknown, path: string): Pick<ChatRequestBody, 'response_format' | 'verbosity'> {
  if (!isJsonObject(text)) throw new NoChatCounterpart(path);
  refuseOtherFields(text, TEXT_FIELDS, path);
  const { format, verbosity } = text;
  return {
    ...(format != null && { response_format: formatOf(format, pathTo(path, 'format')) }),
    ...(verbosity != null && { verbosity: verbosity as 'low' | 'medium' | 'high' }),
  };
}

function formatOf(format: unknown, path: string): ResponseFormat {
  if (!isJsonObject(format)) throw new NoChatCounterpart(path);
  const { type, ...named } = format;
  if (type === 'json_schema') {
    neededString(format, 'name', path);
    return { type, json_schema: named as JsonObject & { name: string } };
  }
  if (type !== 'text' && type !== 'json_object') throw new NoChatCounterpart(pathTo(path, 'type'));
  refuseOtherFields(format, PLAIN_FIELDS, path);
  return { type };
}
