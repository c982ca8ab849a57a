/** Fields that must be there and be of a kind, refused in OpenAI's words where they are not. */

import { invalidType, isJsonObject, type JsonObject, missingParameter, pathTo } from '../responses-request-fault.ts';

/** @throws InvalidRequestError when `value` is no object; `path` is its own. */
export function requireObject(value: unknown, path: string): JsonObject {
  if (value === undefined) throw missingParameter(path);
  if (!isJsonObject(value)) throw invalidType(path, 'an object', value);
  return value;
}

/** @throws InvalidRequestError when `holder[field]` is no object; `path` is that of the holder. */
export function requireObjectIn(holder: JsonObject, field: string, path: string): JsonObject {
  return requireObject(holder[field], pathTo(path, field));
}

/** @throws InvalidRequestError when `holder[field]` is no string; `path` is that of the holder. */
export function requireStringIn(holder: JsonObject, field: string, path: string): string {
  const value = holder[field];
  if (value === undefined) throw missingParameter(pathTo(path, field));
  if (typeof value !== 'string') throw invalidType(pathTo(path, field), 'a string', value);
  return value;
}

/** @throws InvalidRequestError when `holder[field]` is no array; `path` is that of the holder. */
export function requireArrayIn(holder: JsonObject, field: string, path: string): readonly unknown[] {
  const value = holder[field];
  if (value === undefined) throw missingParameter(pathTo(path, field));
  if (!Array.isArray(value)) throw invalidType(pathTo(path, field), 'an array of objects', value);
  return value;
}
