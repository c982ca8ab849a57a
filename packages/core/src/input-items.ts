/** A request's input as items, whichever way it was given. */
import { isJsonObject, type JsonObject } from './responses-request-fault.ts';

/** All of it, in its order; a string is a user's message. */
export function inputItemsOf(input: unknown): JsonObject[] {
  if (Array.isArray(input)) return input;
  return input == null ? [] : [{ role: 'user', content: input }];
}

/** An item that stands for another by its id: of that type, or of none and with nothing but an id to go by. */
export function isItemReference(item: unknown): item is JsonObject & { id: string } {
  if (!isJsonObject(item) || typeof item.id !== 'string') return false;
  const { type, role, content } = item;
  return type === 'item_reference' || (type == null && role === undefined && content === undefined);
}
