/** How much of a history there is, and what its items are to those who bound and cut it. */
import { type HistoryBounds, readableCharacters } from '@millrace/core';

export type Item = Record<string, unknown>;

/** Tokens of a history are estimated, by OpenAI's rule of thumb. */
const CHARACTERS_PER_TOKEN = 4;

export interface Size {
  messages: number;
  characters: number;
}

/** An image counts for what a model reads of it, not for the length of its data. */
export function sizeOf(items: readonly Item[]): Size {
  return {
    messages: items.filter(isMessage).length,
    characters: items.reduce(
      (sum, item) => sum + readableCharacters({ input: [item] }, JSON.stringify(item).length),
      0,
    ),
  };
}

export function sumOf(one: Size, other: Size): Size {
  return { messages: one.messages + other.messages, characters: one.characters + other.characters };
}

/** The bound that so much is beyond, if it is. */
export function boundBeyond({ messages, characters }: Size, bounds: HistoryBounds): keyof HistoryBounds | null {
  if (messages > bounds.maxMessages) return 'maxMessages';
  return characters > bounds.maxTokens * CHARACTERS_PER_TOKEN ? 'maxTokens' : null;
}

/** System instructions stay, whatever else goes. */
export function isSystem({ role }: Item): boolean {
  return role === 'system' || role === 'developer';
}

/** What a user or an assistant said. */
export function isMessage(item: Item): boolean {
  return (item.type === 'message' || (item.type == null && item.role !== undefined)) && !isSystem(item);
}

/** The name under which an item calls for an output, if it does. */
export function calledIn({ type, call_id, id }: Item): string | null {
  const called = type === 'mcp_approval_request' ? id : String(type).endsWith('_call') ? call_id : null;
  return typeof called === 'string' ? called : null;
}

/** The call whose output an item is, if it is one. */
export function answeredIn({ type, call_id, approval_request_id: approved }: Item): string | null {
  const answered = type === 'mcp_approval_response' ? approved : String(type).endsWith('_output') ? call_id : null;
  return typeof answered === 'string' ? answered : null;
}
