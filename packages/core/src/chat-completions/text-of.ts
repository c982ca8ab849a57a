/** `response_format` and `verbosity` as the Responses API's `text`. */

import { checkStrictFormat } from '../check-strict-format.ts';
import {
  invalidValue,
  type JsonObject,
  missingParameter,
  pathTo,
  supportedValues,
  unknownParameter,
} from '../responses-request-fault.ts';
import type { ChatRequest } from './chat-request.ts';
import { requireObjectIn, requireStringIn } from './require-field.ts';

const FORMAT_TYPES = ['text', 'json_object', 'json_schema'];

/**
 * Undefined where the request says nothing about its text.
 *
 * @throws InvalidRequestError for a format the Responses API has not.
 */
export function textOf({ response_format: format, verbosity }: ChatRequest, at: string): JsonObject | undefined {
  if (format == null && verbosity == null) return undefined;
  return {
    ...(format != null && { format: formatOf(format, pathTo(at, 'response_format')) }),
    ...(verbosity != null && { verbosity }),
  };
}

function formatOf(format: JsonObject, path: string): JsonObject {
  const type = requireStringIn(format, 'type', path);
  if (!FORMAT_TYPES.includes(type)) throw invalidValue(pathTo(path, 'type'), type, supportedValues(FORMAT_TYPES));
  const body = type === 'json_schema' ? type : undefined;
  for (const field of Object.keys(format)) {
    // Other servers take a `schema` beside json_object; passed over, it would be an answer of any shape.
    if (field !== 'type' && field !== body) throw unknownParameter(pathTo(path, field));
  }
  if (body === undefined) return { type };
  const named = requireObjectIn(format, 'json_schema', path);
  const namedPath = pathTo(path, 'json_schema');
  if (named.schema == null) throw missingParameter(pathTo(namedPath, 'schema'));
  const name = requireStringIn(named, 'name', namedPath);
  const schema = requireObjectIn(named, 'schema', namedPath);
  checkStrictFormat(named, namedPath);
  return {
    ...named,
    ...{ type, name, schema, strict: named.strict ?? false },
  };
}
