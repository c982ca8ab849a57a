/**
 * The items of a response as the one message Chat Completions has: texts and refusals joined, calls listed. Reasoning
 * and the work of hosted tools have no place in it and are dropped.
 */

import { isJsonObject, type JsonObject } from '../responses-request-fault.ts';
import type { AssistantMessage, Logprobs, ToolCall, UrlCitation } from './chat-completion.ts';
import { logprobsOf } from './logprobs-of.ts';

export interface ToldMessage {
  message: AssistantMessage;
  logprobs: Logprobs | null;
  /** What a call is told as; undefined where none was made. */
  call: 'tool_calls' | 'function_call' | undefined;
}

/** @param functionCall tell a call in the deprecated shape, which has room for one. */
export function messageOf(output: readonly unknown[], functionCall: boolean): ToldMessage {
  const parts = output.filter(isJsonObject).flatMap(partsOf);
  const texts = parts.filter((part) => part.type === 'output_text');
  const refusals = parts.filter((part) => part.type === 'refusal');
  const calls = callsOf(output);
  const message: AssistantMessage = {
    role: 'assistant',
    content: joined(texts, 'text'),
    refusal: joined(refusals, 'refusal'),
    annotations: citationsOf(texts),
  };
  const logprobs = logprobsOf(texts.flatMap((part) => (Array.isArray(part.logprobs) ? part.logprobs : [])));
  const [first] = calls;
  if (first === undefined) return { message, logprobs, call: undefined };
  if (functionCall && first.type === 'function') {
    return { message: { ...message, function_call: first.function }, logprobs, call: 'function_call' };
  }
  return { message: { ...message, tool_calls: calls }, logprobs, call: 'tool_calls' };
}

/** The calls among the items, in their order. */
export function callsOf(output: readonly unknown[]): ToolCall[] {
  return output.filter(isJsonObject).flatMap((item) => toolCallOf(item) ?? []);
}

/** Content parts of a message item; of any other item none. */
function partsOf(item: JsonObject): JsonObject[] {
  return item.type === 'message' && Array.isArray(item.content) ? item.content.filter(isJsonObject) : [];
}

/** The call that an item is; undefined where it is none that a Chat client could have asked for. */
export function toolCallOf(item: JsonObject): ToolCall | undefined {
  const id = textIn(item, 'call_id');
  const name = textIn(item, 'name');
  if (item.type === 'function_call') {
    return { id, type: 'function', function: { name, arguments: textIn(item, 'arguments') } };
  }
  if (item.type === 'custom_tool_call') return { id, type: 'custom', custom: { name, input: textIn(item, 'input') } };
  return undefined;
}

/** URL citations, their indices moved to where each text stands in the joined content. Files have no counterpart. */
function citationsOf(texts: readonly JsonObject[]): UrlCitation[] {
  const citations: UrlCitation[] = [];
  let offset = 0;
  for (const part of texts) {
    const annotations: unknown[] = Array.isArray(part.annotations) ? part.annotations : [];
    for (const annotation of annotations) {
      if (!isJsonObject(annotation) || annotation.type !== 'url_citation') continue;
      citations.push({
        type: 'url_citation',
        url_citation: {
          start_index: offset + numberIn(annotation, 'start_index'),
          end_index: offset + numberIn(annotation, 'end_index'),
          title: textIn(annotation, 'title'),
          url: textIn(annotation, 'url'),
        },
      });
    }
    // Indices count code points, as OpenAI's do.
    if (texts.length > 1) offset += Array.from(textIn(part, 'text')).length;
  }
  return citations;
}

function joined(parts: readonly JsonObject[], field: string): string | null {
  return parts.length === 0 ? null : parts.map((part) => textIn(part, field)).join('');
}

function textIn(holder: JsonObject, field: string): string {
  const value = holder[field];
  return typeof value === 'string' ? value : '';
}

function numberIn(holder: JsonObject, field: string): number {
  const value = holder[field];
  return typeof value === 'number' ? value : 0;
}
