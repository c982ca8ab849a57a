import type {
  ChatCompletionCreateParamsNonStreaming,
  ChatCompletionCreateParamsStreaming,
} from 'openai/resources/chat/completions';
import { describe, expect, test } from 'vitest';
import { CHAT_FIELDS, type ChatRequest, parseChatRequest } from './chat-request.ts';

type SdkRequest = ChatCompletionCreateParamsNonStreaming | ChatCompletionCreateParamsStreaming;
type SdkField = keyof ChatCompletionCreateParamsNonStreaming | keyof ChatCompletionCreateParamsStreaming;
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

/** The SDK's interfaces as plain JSON types: an interface is assignable to no index signature. */
type Surface<T> = T extends string | string[] | Record<string, string>
  ? T
  : T extends readonly (infer Member)[]
    ? Surface<Member>[]
    : T extends object
      ? Record<string, unknown>
      : T;

const messages = [{ role: 'user', content: 'hi' }];
const refuse = (body: unknown, expected: { param: string | null; code: string; message?: unknown }) =>
  expect(() => parseChatRequest(body, [], '')).toThrow(expect.objectContaining(expected));

describe('the field list is the SDK’s', () => {
  // These fail to compile when the SDK gains or loses a field, or widens the type of one.
  const sameFields: Same<SdkField, keyof ChatRequest> = true;
  const takesEveryValue = (
    request: { [F in SdkField]?: Surface<Exclude<SdkRequest[F], undefined>> } & { messages: Record<string, unknown>[] },
  ) => request satisfies ChatRequest;

  test('every field of the SDK is known, and no other', () => {
    const fields: Record<SdkField, true> = {
      audio: true,
      frequency_penalty: true,
      function_call: true,
      functions: true,
      logit_bias: true,
      logprobs: true,
      max_completion_tokens: true,
      max_tokens: true,
      messages: true,
      metadata: true,
      modalities: true,
      model: true,
      moderation: true,
      n: true,
      parallel_tool_calls: true,
      prediction: true,
      presence_penalty: true,
      prompt_cache_key: true,
      prompt_cache_options: true,
      prompt_cache_retention: true,
      reasoning_effort: true,
      response_format: true,
      safety_identifier: true,
      seed: true,
      service_tier: true,
      stop: true,
      store: true,
      stream: true,
      stream_options: true,
      temperature: true,
      tool_choice: true,
      tools: true,
      top_logprobs: true,
      top_p: true,
      user: true,
      verbosity: true,
      web_search_options: true,
    };
    expect(sameFields).toBe(true);
    expect([...CHAT_FIELDS].sort()).toStrictEqual(Object.keys(fields).sort());
    expect(takesEveryValue({ messages })).toStrictEqual({ messages });
  });
});

test('every field but messages and model may be null', () => {
  const nulls = Object.fromEntries([...CHAT_FIELDS].map((field) => [field, null]));
  const { model: _model, messages: _messages, ...rest } = nulls;
  const request = { ...rest, messages };
  expect(parseChatRequest(request, [], '')).toBe(request);
  refuse({ messages: null }, { param: 'messages', code: 'invalid_type' });
  refuse({ messages, model: null }, { param: 'model', code: 'invalid_type' });
});

test.each([
  ['temperature', 2.1, 'decimal_above_max_value'],
  ['top_p', -1, 'decimal_below_min_value'],
  ['frequency_penalty', -2.5, 'decimal_below_min_value'],
  ['presence_penalty', 3, 'decimal_above_max_value'],
  ['max_tokens', 0, 'integer_below_min_value'],
  ['max_completion_tokens', -1, 'integer_below_min_value'],
  ['n', 0, 'integer_below_min_value'],
  ['top_logprobs', 21, 'integer_above_max_value'],
  ['max_tokens', '5', 'invalid_type'],
  ['stream', 'true', 'invalid_type'],
  ['tools', {}, 'invalid_type'],
  ['response_format', 'json', 'invalid_type'],
  ['service_tier', 'gold', 'invalid_value'],
])('%s: %o is refused under its own name', (field, value, code) => {
  refuse({ messages, [field]: value }, { param: field, code });
});

test('stop of another kind is told what it may be', () => {
  refuse({ messages, stop: 5 }, { param: 'stop', code: 'invalid_value' });
});

test('an unknown field is refused by name, with the name that is right here', () => {
  refuse(
    { messages, max_output_tokens: 5 },
    {
      param: 'max_output_tokens',
      code: 'unknown_parameter',
      message: "Unknown parameter: 'max_output_tokens'. Chat Completions calls this 'max_completion_tokens'.",
    },
  );
  refuse(
    { messages, top_k: 5 },
    { param: 'top_k', code: 'unknown_parameter', message: expect.stringContaining('extraFields') },
  );
  refuse({}, { param: 'messages', code: 'missing_required_parameter' });
  refuse([], { param: null, code: 'invalid_type' });
  refuse(
    { messages, metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, 'v'])) },
    { param: 'metadata', code: 'object_above_max_properties' },
  );
});
