/**
 * A call's stream as the chunks of a chat completion, one for each event that a chat has a word for: so that they come
 * at the same pace, and break at the same place.
 */
import type { Call } from '../calls/call.ts';
import type { StreamEvent } from '../calls/events.ts';
import { isObject, type JsonObject } from '../json.ts';
import {
  chatAnnotation,
  completionError,
  completionHead,
  completionUsage,
  finishReason,
  toolCall,
} from './completion.ts';

/** A chunk as it goes over the wire. */
function written(chunk: JsonObject): string {
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

function chunk(call: Call, includeUsage: boolean, delta: JsonObject, reason: string | null = null): string {
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: reason }];
  return written({ ...completionHead(call, 'chat.completion.chunk'), choices, ...(includeUsage && { usage: null }) });
}

/** What each event is written as; empty where a chat has no word for it. */
export function chunkTexts(call: Call, events: readonly StreamEvent[], includeUsage: boolean): string[] {
  /** Each function call's number among the calls, by its item's. */
  const numbers = new Map<unknown, number>();
  let begun = false;

  /** The role comes with the first that is told. */
  function added(index: number): JsonObject | undefined {
    const item = call.answer.items[index];
    if (!item || item.kind === 'hosted_call' || item.kind === 'reasoning') return undefined;
    const role = begun ? {} : { role: 'assistant', content: item.kind === 'text' ? '' : null, refusal: null };
    begun = true;
    if (item.kind !== 'function_call') return role;
    numbers.set(index, numbers.size);
    return { ...role, tool_calls: [{ index: numbers.get(index), ...toolCall(call, index, item, '') }] };
  }

  function deltaOf(event: StreamEvent): JsonObject | undefined {
    switch (event.type) {
      case 'response.output_item.added':
        return added(Number(event.output_index));
      case 'response.output_text.delta':
        return { content: event.delta };
      case 'response.refusal.delta':
        return { refusal: event.delta };
      case 'response.function_call_arguments.delta':
        return { tool_calls: [{ index: numbers.get(event.output_index), function: { arguments: event.delta } }] };
      case 'response.output_text.annotation.added':
        return isObject(event.annotation) ? { annotations: [chatAnnotation(event.annotation)] } : undefined;
      default:
        return undefined;
    }
  }

  return events.map((event) => {
    const delta = deltaOf(event);
    return delta ? chunk(call, includeUsage, delta) : '';
  });
}

/** What ends the stream of a call that has ended: why, its usage where that is asked for, and `[DONE]`; or its error. */
export function lastChunkTexts(call: Call, includeUsage: boolean): string {
  const error = completionError(call);
  if (error) return written(error.body);
  const usage = { ...completionHead(call, 'chat.completion.chunk'), choices: [], usage: completionUsage(call) };
  return `${chunk(call, includeUsage, {}, finishReason(call))}${includeUsage ? written(usage) : ''}data: [DONE]\n\n`;
}
