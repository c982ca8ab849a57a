/** Items of a request's input: all of it as such, whichever way it was given, and what of an answer can be among them. */
import type { ResponsesBody } from './job.ts';
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

/**
 * An item of what was asked or answered, as it is told to one who does not know it: ids and status mean nothing there.
 * None where there is nothing to tell: reasoning that is not encrypted, a call that was broken off.
 */
export function retoldItem(item: JsonObject): JsonObject[] {
  const { id, status, ...rest } = item;
  if (item.type === 'reasoning') return typeof item.encrypted_content === 'string' ? [rest] : [];
  if (status === 'incomplete' && String(item.type).endsWith('_call')) return [];
  // The one item that is answered by its id.
  return [item.type === 'mcp_approval_request' ? { id, ...rest } : rest];
}

/** The conversation upstream that a request is of, by its id. */
export function conversationOf({ conversation }: ResponsesBody): string | null {
  const id = isJsonObject(conversation) ? conversation.id : conversation;
  return typeof id === 'string' && id !== '' ? id : null;
}
