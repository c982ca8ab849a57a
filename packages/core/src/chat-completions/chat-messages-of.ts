/**
 * Input items become messages, in their order. What the model answered in one go is one message, its calls included;
 * reasoning is dropped. Chat Completions wants every call answered at once, by the messages right after it: items in
 * another order have no counterpart.
 */

import { isJsonObject, type JsonObject, pathTo } from '../responses-request-fault.ts';
import { answeredContentOf, textContentOf, userContentOf } from './chat-content-of.ts';
import type { ChatMessage, FunctionCall } from './chat-request-body.ts';
import { NoChatCounterpart, neededString, refuseOtherFields } from './no-chat-counterpart.ts';

/** Beside what is converted, what an item of an earlier answer says of itself. */
const MESSAGE_FIELDS: ReadonlySet<string> = new Set(['type', 'id', 'status', 'role', 'content']);
const CALL_FIELDS: ReadonlySet<string> = new Set(['type', 'id', 'status', 'call_id', 'name', 'arguments']);
const OUTPUT_FIELDS: ReadonlySet<string> = new Set(['type', 'id', 'status', 'call_id', 'name', 'output']);

/** @throws NoChatCounterpart for the first item that cannot be kept; `path` is that of the input. */
export function chatMessagesOf(input: string | readonly unknown[], path: string): ChatMessage[] {
  if (typeof input === 'string') return [{ role: 'user', content: input }];
  const messages: ChatMessage[] = [];
  /** Calls of the last assistant message that wait for their outputs: id → path. */
  const unanswered = new Map<string, string>();
  for (const [index, item] of input.entries()) {
    const at = pathTo(path, index);
    if (!isJsonObject(item)) throw new NoChatCounterpart(at);
    switch (item.type ?? (item.role === undefined ? undefined : 'message')) {
      case 'reasoning':
        break;
      case 'message': {
        const message = messageOf(item, at);
        if (unanswered.size === 0) messages.push(message);
        else sayBesideCalls(messages.at(-1), message, at);
        break;
      }
      case 'function_call': {
        const call = callOf(item, at);
        if (unanswered.has(call.id)) throw new NoChatCounterpart(at);
        addCall(messages, call, unanswered.size > 0, at);
        unanswered.set(call.id, at);
        break;
      }
      case 'function_call_output': {
        const message = toolMessageOf(item, at);
        if (!unanswered.delete(message.tool_call_id)) throw new NoChatCounterpart(at);
        messages.push(message);
        break;
      }
      default:
        throw new NoChatCounterpart(at);
    }
  }
  for (const at of unanswered.values()) throw new NoChatCounterpart(at);
  return messages;
}

function messageOf(item: JsonObject, path: string): ChatMessage {
  refuseOtherFields(item, MESSAGE_FIELDS, path);
  const contentPath = pathTo(path, 'content');
  switch (item.role) {
    case 'system':
    case 'developer':
      return { role: item.role, content: textContentOf(item.content, contentPath) };
    case 'user':
      return { role: 'user', content: userContentOf(item.content, contentPath) };
    case 'assistant':
      return { role: 'assistant', ...answeredContentOf(item.content, contentPath) };
    default:
      throw new NoChatCounterpart(pathTo(path, 'role'));
  }
}

function callOf(item: JsonObject, path: string): FunctionCall {
  refuseOtherFields(item, CALL_FIELDS, path);
  const name = neededString(item, 'name', path);
  return {
    id: neededString(item, 'call_id', path),
    type: 'function',
    function: { name, arguments: neededString(item, 'arguments', path) },
  };
}

function toolMessageOf(item: JsonObject, path: string): Extract<ChatMessage, { role: 'tool' }> {
  refuseOtherFields(item, OUTPUT_FIELDS, path);
  const content = textContentOf(item.output, pathTo(path, 'output'));
  return { role: 'tool', tool_call_id: neededString(item, 'call_id', path), content };
}

/** A call belongs to what the model said or called right before it; `calling`: earlier calls are not answered yet. */
function addCall(messages: ChatMessage[], call: FunctionCall, calling: boolean, path: string): void {
  const last = messages.at(-1);
  if (last?.role === 'assistant') last.tool_calls = [...(last.tool_calls ?? []), call];
  else if (calling) throw new NoChatCounterpart(path);
  else messages.push({ role: 'assistant', content: null, tool_calls: [call] });
}

/** The model may speak after it called; in Chat Completions that is one message, with room for one content. */
function sayBesideCalls(calling: ChatMessage | undefined, message: ChatMessage, path: string): void {
  const isRoom = calling?.role === 'assistant' && calling.content === null && calling.refusal === undefined;
  if (!isRoom || message.role !== 'assistant') throw new NoChatCounterpart(path);
  Object.assign(calling, message);
}
