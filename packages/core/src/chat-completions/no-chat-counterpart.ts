/**
 * What a Responses request asks for and Chat Completions has no word for is named, never ignored: the answer would be
 * another one than asked for. Values that ask for nothing (null, false) pass.
 */

import { type JsonObject, pathTo } from '../responses-request-fault.ts';

/** Ends a conversion; `path` is that of the field in the Responses request. */
export class NoChatCounterpart extends Error {
  override readonly name = 'NoChatCounterpart';
  readonly path: string;

  constructor(path: string) {
    super(`Chat Completions has no counterpart of '${path}'.`);
    this.path = path;
  }
}

/** Whether a value asks for no more than the field's absence does. */
export function asksForNothing(value: unknown): boolean {
  return value === undefined || value === null || value === false;
}

/** @throws NoChatCounterpart for the first field that asks for something and is none of `known`. */
export function refuseOtherFields(holder: JsonObject, known: ReadonlySet<string>, path: string): void {
  for (const [field, value] of Object.entries(holder)) {
    if (!known.has(field) && !asksForNothing(value)) throw new NoChatCounterpart(pathTo(path, field));
  }
}

/** @throws NoChatCounterpart when `holder[field]` is no string: Chat Completions cannot do without it. */
export function neededString(holder: JsonObject, field: string, path: string): string {
  const value = holder[field];
  if (typeof value !== 'string') throw new NoChatCounterpart(pathTo(path, field));
  return value;
}
