/** The one message of a chat completion as the items of a Response: what was said, then the calls. */

import { isJsonObject, type JsonObject } from '../responses-request-fault.ts';
import { chatLogprobsIn } from './response-logprobs-in.ts';

const COMPLETION_PREFIX = 'chatcmpl-';

export interface ItemHead {
  /** Of the completion: the items' own are made of it. */
  id: string;
  status: 'completed' | 'incomplete';
}

/** @param logprobs of the completion's choice */
export function outputItemsOf(message: JsonObject, logprobs: unknown, head: ItemHead): JsonObject[] {
  const name = head.id.startsWith(COMPLETION_PREFIX) ? head.id.slice(COMPLETION_PREFIX.length) : head.id;
  const calls = Array.isArray(message.tool_calls) ? message.tool_calls.filter(isJsonObject) : [];
  const items = calls.flatMap((call, index) => callItemsOf(call, `${name}_${index}`, head.status));
  const content = contentOf(message, logprobs, items.length > 0);
  if (content.length === 0) return items;
  return [{ id: `msg_${name}`, type: 'message', status: head.status, role: 'assistant', content }, ...items];
}

/** Beside calls, or a refusal, servers send content that is none as null or ''. */
function contentOf(message: JsonObject, logprobs: unknown, calls: boolean): JsonObject[] {
  const text = textOf(message.content);
  const refusal = typeof message.refusal === 'string' && message.refusal !== '' ? message.refusal : undefined;
  const isSaid = text !== undefined && (text !== '' || (!calls && refusal === undefined));
  return [
    ...(isSaid
      ? [
          {
            type: 'output_text',
            text,
            annotations: annotationsOf(message.annotations),
            logprobs: chatLogprobsIn(logprobs),
          },
        ]
      : []),
    ...(refusal === undefined ? [] : [{ type: 'refusal', refusal }]),
  ];
}

/** Some servers answer in parts. */
function textOf(content: unknown): string | undefined {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return undefined;
  const texts = content.map((part: unknown) => (isJsonObject(part) && part.type === 'text' ? part.text : undefined));
  return texts.filter((text) => typeof text === 'string').join('');
}

/** `{type, url_citation: {…}}` → `{type, …}`. */
function annotationsOf(annotations: unknown): JsonObject[] {
  if (!Array.isArray(annotations)) return [];
  return annotations.flatMap((annotation: unknown) => {
    if (!isJsonObject(annotation) || annotation.type !== 'url_citation') return [];
    return isJsonObject(annotation.url_citation) ? [{ ...annotation.url_citation, type: 'url_citation' }] : [];
  });
}

/** None for a call of anything but a function: nothing else was offered. */
function callItemsOf(call: JsonObject, name: string, status: string): JsonObject[] {
  const { function: called } = call;
  if (!isJsonObject(called) || typeof called.name !== 'string') return [];
  // Some servers leave the id out, and some send the arguments as the object they are.
  const callId = typeof call.id === 'string' && call.id !== '' ? call.id : `call_${name}`;
  const args = typeof called.arguments === 'string' ? called.arguments : JSON.stringify(called.arguments ?? {});
  return [{ id: `fc_${name}`, type: 'function_call', status, call_id: callId, name: called.name, arguments: args }];
}
