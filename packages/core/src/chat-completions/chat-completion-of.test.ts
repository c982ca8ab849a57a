import * as fc from 'fast-check';
import type OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import type { ResponseObject } from '../outcome.ts';
import type { ChatCompletion } from './chat-completion.ts';
import { chatCompletionOf } from './chat-completion-of.ts';
import { responsesRequestOf } from './responses-request-of.ts';

const head = { id: 'resp_abc', model: 'gpt-5-mini', created: 1_700_000_000 };
const text = (value: string, more = {}) => ({ type: 'output_text', text: value, annotations: [], ...more });
const message = (...content: unknown[]) => ({
  type: 'message',
  id: 'msg_1',
  role: 'assistant',
  status: 'completed',
  content,
});
const call = {
  type: 'function_call',
  id: 'fc_1',
  call_id: 'call_1',
  name: 'f',
  arguments: '{"a":1}',
  status: 'completed',
};
const response = (fields: Partial<ResponseObject>): ResponseObject => ({
  id: 'resp_abc',
  object: 'response',
  status: 'completed',
  output: [],
  ...fields,
});

function completionOf(fields: Partial<ResponseObject>, more = {}): ChatCompletion {
  const answer = chatCompletionOf(response(fields), { ...head, ...more });
  if ('error' in answer.body) throw new Error(answer.body.error.message);
  return answer.body;
}
const choiceOf = (fields: Partial<ResponseObject>, more = {}) => completionOf(fields, more).choices[0];

test('a completion has every field the SDK’s type asks for, under an id made of the response’s', () => {
  const completion: OpenAI.ChatCompletion = completionOf({
    output: [
      { type: 'reasoning', id: 'rs_1', summary: [] },
      { type: 'web_search_call', id: 'ws_1', status: 'completed' },
      message(text('Hello.')),
    ],
    service_tier: 'flex',
    usage: {
      input_tokens: 10,
      input_tokens_details: { cached_tokens: 4, cache_write_tokens: 2 },
      output_tokens: 5,
      output_tokens_details: { reasoning_tokens: 3 },
      total_tokens: 15,
    },
  });
  expect(completion).toStrictEqual({
    id: 'chatcmpl-abc',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: 'gpt-5-mini',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: 'Hello.', refusal: null, annotations: [] },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: {
      prompt_tokens: 10,
      completion_tokens: 5,
      total_tokens: 15,
      prompt_tokens_details: { cached_tokens: 4, cache_write_tokens: 2 },
      completion_tokens_details: { reasoning_tokens: 3 },
    },
    service_tier: 'flex',
  });
});

test('texts of several parts and messages are joined as the SDK’s output_text joins them', () => {
  expect(choiceOf({ output: [message(text('a'), text('b')), message(text('c'))] })?.message.content).toBe('abc');
});

test('usage that was not counted is left out, one without details has zeros', () => {
  expect(completionOf({ usage: null })).not.toHaveProperty('usage');
  expect(completionOf({ usage: { input_tokens: 1, output_tokens: 2 } }).usage).toStrictEqual({
    prompt_tokens: 1,
    completion_tokens: 2,
    total_tokens: 3,
    prompt_tokens_details: { cached_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0 },
  });
});

describe('message', () => {
  test('a refusal alone leaves content null', () => {
    const refused = choiceOf({ output: [message({ type: 'refusal', refusal: 'No.' })] });
    expect(refused?.message).toMatchObject({ content: null, refusal: 'No.' });
    expect(refused?.finish_reason).toBe('stop');
  });

  test('calls are listed under their call ids, functions and custom tools', () => {
    const custom = { type: 'custom_tool_call', call_id: 'call_2', name: 'shell', input: 'ls' };
    expect(choiceOf({ output: [call, custom] })).toMatchObject({
      finish_reason: 'tool_calls',
      message: {
        content: null,
        tool_calls: [
          { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } },
          { id: 'call_2', type: 'custom', custom: { name: 'shell', input: 'ls' } },
        ],
      },
    });
  });

  test('a client of deprecated functions is told its call in their shape', () => {
    const choice = choiceOf({ output: [call] }, { functionCall: true });
    expect(choice?.finish_reason).toBe('function_call');
    expect(choice?.message.function_call).toStrictEqual({ name: 'f', arguments: '{"a":1}' });
    expect(choice?.message).not.toHaveProperty('tool_calls');
  });

  test('URL citations point into the joined text, counted in characters; others are dropped', () => {
    const citation = { type: 'url_citation', start_index: 1, end_index: 3, title: 'T', url: 'https://example.com' };
    const file = { type: 'file_citation', file_id: 'file_1', filename: 'a', index: 0 };
    const annotations = choiceOf({ output: [message(text('🙂a'), text('bcde', { annotations: [citation, file] }))] })
      ?.message.annotations;
    const citations: OpenAI.ChatCompletionMessage.Annotation[] | undefined = annotations;
    expect(citations).toStrictEqual([
      { type: 'url_citation', url_citation: { start_index: 3, end_index: 5, title: 'T', url: 'https://example.com' } },
    ]);
  });

  test('logprobs follow the text', () => {
    const token = { token: 'a', bytes: [97], logprob: -1, top_logprobs: [{ token: 'b', logprob: -2 }] };
    const logprobs = choiceOf({ output: [message(text('a', { logprobs: [token] }))] })?.logprobs;
    expect(logprobs).toStrictEqual({
      content: [{ ...token, top_logprobs: [{ token: 'b', bytes: null, logprob: -2 }] }],
      refusal: null,
    });
  });
});

test.each<[Partial<ResponseObject>, string]>([
  [{ output: [message(text('a'))] }, 'stop'],
  [
    { output: [message(text('a'))], status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } },
    'length',
  ],
  [
    { output: [message(text('a'))], status: 'incomplete', incomplete_details: { reason: 'content_filter' } },
    'content_filter',
  ],
  [{ output: [call], status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }, 'length'],
  [{ output: [], status: 'incomplete', incomplete_details: { reason: 'steered' } }, 'length'],
])('%o finished for %s', (fields, reason) => {
  expect(choiceOf(fields)?.finish_reason).toBe(reason);
});

test('moderation of one result is told as a list of one', () => {
  const result = { type: 'moderation_result', model: 'm', flagged: false };
  const error = { type: 'error', code: 'c', message: 'm' };
  expect(completionOf({ moderation: { input: result, output: error } }).moderation).toStrictEqual({
    input: { type: 'moderation_results', model: 'm', results: [result] },
    output: error,
  });
});

test.each<[Partial<ResponseObject>, number, unknown]>([
  [
    { status: 'failed', error: { code: 'server_error', message: 'Sorry.' } },
    500,
    { message: 'Sorry.', type: 'server_error', param: null, code: 'server_error' },
  ],
  [
    { status: 'failed', error: { code: 'rate_limit_exceeded', message: 'Slow.' } },
    429,
    { message: 'Slow.', type: 'rate_limit_error', param: null, code: 'rate_limit_exceeded' },
  ],
  [
    { status: 'failed', error: { code: 'invalid_prompt', message: 'Flagged.' } },
    400,
    { message: 'Flagged.', type: 'invalid_request_error', param: null, code: 'invalid_prompt' },
  ],
  [
    { status: 'failed', error: null },
    500,
    { message: 'The response failed.', type: 'server_error', param: null, code: 'server_error' },
  ],
  [
    { status: 'cancelled' },
    400,
    { message: 'The response was cancelled.', type: 'invalid_request_error', param: null, code: 'cancelled' },
  ],
])('%o is answered with its error', (fields, status, error) => {
  expect(chatCompletionOf(response(fields), head)).toStrictEqual({ status, body: { error } });
});

test.each(['queued', 'in_progress'])('a response that is %s is not told', (status) => {
  expect(() => chatCompletionOf(response({ status }), head)).toThrow(TypeError);
});

test('a text conversation keeps its roles and texts there and back', () => {
  const turn = fc.record(
    {
      role: fc.constantFrom('system', 'developer', 'user', 'assistant'),
      content: fc.string({ unit: 'binary' }),
    },
    { noNullPrototype: true },
  );
  const asParts = ({ role, content }: { role: string; content: string }) => ({
    role,
    content: [{ type: 'text', text: content }],
  });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(turn, fc.boolean()), { minLength: 1 }),
      fc.string({ unit: 'binary' }),
      (turns, answer) => {
        const said = turns.map(([one]) => one);
        const { request } = responsesRequestOf({ messages: turns.map(([one, parts]) => (parts ? asParts(one) : one)) });
        const heard = (request.input as { role: string; content: string | { text: string }[] }[]).map(
          ({ role, content }) => ({
            role,
            content: typeof content === 'string' ? content : content.map((part) => part.text).join(''),
          }),
        );
        expect(heard).toStrictEqual(said);

        const told = choiceOf({ output: [message(text(answer))] })?.message;
        const next = responsesRequestOf({ messages: [...said, told] }).request.input;
        expect(next?.at(-1)).toStrictEqual({ role: 'assistant', content: answer });
      },
    ),
  );
});
