/**
 * Turns the events of a response, one after the other, into the chunks of a chat completion. What the deltas left out
 * is made up for at the end, so that the chunks add up to the whole answer whatever events an upstream sends. It
 * remembers lengths, never text.
 */

import type { ErrorBody } from '../errors.ts';
import type { ResponseObject } from '../outcome.ts';
import { isJsonObject } from '../responses-request-fault.ts';
import { chatCompletionId, finishReasonOf, standingFieldsOf, usageOf } from './answer-fields.ts';
import type { ChatCompletionChunk, Logprobs, MessageDelta, ToolCall } from './chat-completion.ts';
import type { ChatAnswerHead } from './chat-completion-of.ts';
import { chatErrorOf, chatErrorOfResponse } from './chat-error.ts';
import { logprobsOf } from './logprobs-of.ts';
import { callsOf, messageOf, toolCallOf } from './message-of.ts';

/** A semantic event of a Responses stream, parsed. */
export interface ResponsesEvent {
  type: string;
  [field: string]: unknown;
}

export interface ChatStreamHead extends ChatAnswerHead {
  /** Ends the stream with a chunk of usage, and says null before. */
  includeUsage?: boolean;
}

/** Each one is the `data:` of an SSE message; an error body is the last of all. */
export type ChatStreamData = ChatCompletionChunk | ErrorBody;

export interface ChatStream {
  /** What the event becomes; nothing where Chat Completions has no word for it, and nothing after the end. */
  push(event: ResponsesEvent): ChatStreamData[];
  /** Whether the last chunk or the error was given out; `[DONE]` follows. */
  readonly ended: boolean;
}

/** A call that was begun, and how much of its arguments or input was given out. */
interface BegunCall {
  index: number;
  type: ToolCall['type'];
  characters: number;
}

export function openChatStream(head: ChatStreamHead): ChatStream {
  const { model, created, includeUsage = false, functionCall = false } = head;
  const id = chatCompletionId(head.id);
  /** Characters and tokens given out; undefined before the first. */
  const told: { content?: number; refusal?: number; tokens: number } = { tokens: 0 };
  const calls: BegunCall[] = [];
  const callAt = new Map<unknown, BegunCall>();
  let begun = false;
  let ended = false;

  function chunk(choices: ChatCompletionChunk['choices']): ChatCompletionChunk {
    const usage = includeUsage ? { usage: null } : {};
    return { id, object: 'chat.completion.chunk', created, model, choices, ...usage };
  }

  function deltaChunk(delta: MessageDelta, logprobs: Logprobs | null = null): ChatCompletionChunk {
    return chunk([{ index: 0, delta, logprobs, finish_reason: null }]);
  }

  /** The role comes first and by itself, as OpenAI sends it: some clients read nothing else of that chunk. */
  function tellText(field: 'content' | 'refusal', text: string, logprobs: Logprobs | null): ChatCompletionChunk[] {
    const role = begun ? [] : [deltaChunk({ role: 'assistant', content: null, refusal: null, [field]: '' })];
    begun = true;
    told[field] = (told[field] ?? 0) + text.length;
    told.tokens += logprobs?.content?.length ?? 0;
    return [...role, deltaChunk({ [field]: text }, logprobs)];
  }

  /** Of a call the first delta names role and tool, as OpenAI sends it. */
  function tellCall(delta: MessageDelta): ChatCompletionChunk {
    const role: MessageDelta = begun ? {} : { role: 'assistant', content: null, refusal: null };
    begun = true;
    return deltaChunk({ ...role, ...delta });
  }

  function beginCall(call: ToolCall): ChatCompletionChunk[] {
    const index = calls.length;
    calls.push({ index, type: call.type, characters: 0 });
    if (call.type === 'custom') {
      const custom = { name: call.custom.name, input: '' };
      return [tellCall({ tool_calls: [{ index, id: call.id, type: 'custom', custom }] })];
    }
    const called = { name: call.function.name, arguments: '' };
    if (!functionCall) return [tellCall({ tool_calls: [{ index, id: call.id, type: 'function', function: called }] })];
    return index === 0 ? [tellCall({ function_call: called })] : [];
  }

  function growCall(call: BegunCall | undefined, text: string): ChatCompletionChunk[] {
    if (call === undefined || text === '') return [];
    call.characters += text.length;
    const { index } = call;
    if (call.type === 'custom') return [tellCall({ tool_calls: [{ index, custom: { input: text } }] })];
    if (!functionCall) return [tellCall({ tool_calls: [{ index, function: { arguments: text } }] })];
    return index === 0 ? [tellCall({ function_call: { arguments: text } })] : [];
  }

  /** An item that is a call and was not there yet; its deltas name the same place. */
  function addItem({ item, output_index: place }: ResponsesEvent): ChatCompletionChunk[] {
    const call = isJsonObject(item) && !callAt.has(place) ? toolCallOf(item) : undefined;
    if (call === undefined) return [];
    const chunks = beginCall(call);
    const begunCall = calls.at(-1);
    if (begunCall !== undefined) callAt.set(place, begunCall);
    return chunks;
  }

  /** Text and calls of the whole answer that no delta has told. */
  function untold(output: readonly unknown[], whole: ReturnType<typeof messageOf>): ChatCompletionChunk[] {
    const { message } = whole;
    const tokens = whole.logprobs?.content?.slice(told.tokens) ?? [];
    const logprobs = tokens.length > 0 ? { content: tokens, refusal: null } : null;
    const chunks: ChatCompletionChunk[] = [];
    for (const field of ['content', 'refusal'] as const) {
      const text = message[field];
      if (text === null || (told[field] ?? -1) >= text.length) continue;
      chunks.push(...tellText(field, text.slice(told[field] ?? 0), field === 'content' ? logprobs : null));
    }
    for (const [nth, call] of callsOf(output).entries()) {
      if (calls[nth] === undefined) chunks.push(...beginCall(call));
      const text = call.type === 'custom' ? call.custom.input : call.function.arguments;
      chunks.push(...growCall(calls[nth], text.slice(calls[nth]?.characters)));
    }
    return chunks;
  }

  function finish(response: ResponseObject): ChatCompletionChunk[] {
    const output = Array.isArray(response.output) ? response.output : [];
    const whole = messageOf(output, functionCall);
    const rest = untold(output, whole);
    if (!begun) rest.push(deltaChunk({ role: 'assistant', content: null, refusal: null }));
    const { annotations } = whole.message;
    if (annotations.length > 0) rest.push(deltaChunk({ annotations }));
    const called = calls.length === 0 ? undefined : functionCall ? 'function_call' : 'tool_calls';
    const standing = standingFieldsOf(response);
    const reason = finishReasonOf(response, called);
    const last = { ...chunk([{ index: 0, delta: {}, logprobs: null, finish_reason: reason }]), ...standing };
    const usage = includeUsage ? [{ ...chunk([]), ...standing, usage: usageOf(response) ?? null }] : [];
    return [...rest, last, ...usage];
  }

  function end(event: ResponsesEvent): ChatStreamData[] {
    ended = true;
    if (event.type === 'error') return [chatErrorOf(isJsonObject(event.error) ? event.error : event).body];
    const response = (isJsonObject(event.response) ? event.response : {}) as ResponseObject;
    const error = event.type === 'response.failed' ? chatErrorOf(response.error ?? {}) : chatErrorOfResponse(response);
    return error === undefined ? finish(response) : [error.body];
  }

  return {
    push(event) {
      if (ended) return [];
      const delta = typeof event.delta === 'string' ? event.delta : '';
      switch (event.type) {
        case 'response.output_text.delta':
          return tellText('content', delta, logprobsOf(event.logprobs));
        case 'response.refusal.delta':
          return tellText('refusal', delta, null);
        case 'response.output_item.added':
          return addItem(event);
        case 'response.function_call_arguments.delta':
        case 'response.custom_tool_call_input.delta':
          return growCall(callAt.get(event.output_index), delta);
        case 'response.completed':
        case 'response.incomplete':
        case 'response.failed':
        case 'error':
          return end(event);
        default:
          return [];
      }
    },
    get ended() {
      return ended;
    },
  };
}
