import type { ChatCompletion } from 'openai/resources/chat/completions';
import type { Response } from 'openai/resources/responses/responses';
import { describe, expect, test } from 'vitest';
import { chatCompletionOf } from './chat-completion-of.ts';
import { responseOfChat } from './response-of-chat.ts';

const message = { role: 'assistant', content: 'Hello', refusal: null } as const;
const completion: ChatCompletion = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 7,
  model: 'm-2026',
  choices: [{ index: 0, message, logprobs: null, finish_reason: 'stop' }],
  service_tier: 'default',
  usage: {
    prompt_tokens: 10,
    completion_tokens: 5,
    total_tokens: 15,
    prompt_tokens_details: { cached_tokens: 4 },
    completion_tokens_details: { reasoning_tokens: 1 },
  },
};
const answered = (choice: Record<string, unknown>, request = {}) =>
  responseOfChat({ ...completion, choices: [{ ...completion.choices[0], ...choice }] }, request);
const outputOf = (fields: Record<string, unknown>) => answered({ message: { ...message, ...fields } })?.output;
const text = (said: string, fields = {}) => ({
  type: 'output_text',
  text: said,
  annotations: [],
  logprobs: [],
  ...fields,
});
const item = (...content: unknown[]) => ({
  id: 'msg_1',
  type: 'message',
  status: 'completed',
  role: 'assistant',
  content,
});

test('a completion is a Response of all its fields, the request’s among them', () => {
  const request = {
    model: 'm',
    instructions: 'Be brief.',
    input: 'x',
    metadata: { a: 'b' },
    text: { format: { type: 'json_object' } },
    temperature: 0.5,
    store: false,
  };
  const expected: Omit<Response, 'output_text' | 'access_programs' | 'user' | 'usage'> &
    Record<'user' | 'usage', unknown> & { store: boolean } = {
    id: 'chatcmpl-1',
    object: 'response',
    created_at: 7,
    status: 'completed',
    background: false,
    error: null,
    incomplete_details: null,
    instructions: 'Be brief.',
    max_output_tokens: null,
    max_tool_calls: null,
    metadata: { a: 'b' },
    model: 'm-2026',
    output: [item(text('Hello'))] as Response['output'],
    parallel_tool_calls: true,
    previous_response_id: null,
    prompt_cache_key: null,
    prompt_cache_retention: null,
    reasoning: { effort: null, summary: null },
    safety_identifier: null,
    service_tier: 'default',
    store: false,
    temperature: 0.5,
    text: { format: { type: 'json_object' } },
    tool_choice: 'auto',
    tools: [],
    top_logprobs: 0,
    top_p: 1,
    truncation: 'disabled',
    usage: {
      input_tokens: 10,
      input_tokens_details: { cached_tokens: 4 },
      output_tokens: 5,
      output_tokens_details: { reasoning_tokens: 1 },
      total_tokens: 15,
    },
    user: null,
  };
  expect(responseOfChat(completion, request)).toStrictEqual(expected);
});

describe('what the message says', () => {
  test.each<[string, Record<string, unknown>, unknown[]]>([
    ['nothing is no item', { content: null }, []],
    ['an empty text is one, as the model said it', { content: '' }, [item(text(''))]],
    [
      'parts are joined',
      {
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      },
      [item(text('ab'))],
    ],
    ['a refusal', { content: null, refusal: 'No.' }, [item({ type: 'refusal', refusal: 'No.' })]],
    ['a refusal beside empty text', { content: '', refusal: 'No.' }, [item({ type: 'refusal', refusal: 'No.' })]],
    [
      'its citations',
      {
        annotations: [
          { type: 'url_citation', url_citation: { url: 'u', title: 't', start_index: 0, end_index: 2 } },
          { type: 'other' },
        ],
      },
      [
        item(
          text('Hello', {
            annotations: [{ type: 'url_citation', url: 'u', title: 't', start_index: 0, end_index: 2 }],
          }),
        ),
      ],
    ],
    [
      'calls, without an item for an empty text',
      {
        content: '',
        tool_calls: [
          { id: 'call_a', type: 'function', function: { name: 'f', arguments: '{}' } },
          { function: { name: 'g', arguments: { x: 1 } } },
        ],
      },
      [
        { id: 'fc_1_0', type: 'function_call', status: 'completed', call_id: 'call_a', name: 'f', arguments: '{}' },
        {
          id: 'fc_1_1',
          type: 'function_call',
          status: 'completed',
          call_id: 'call_1_1',
          name: 'g',
          arguments: '{"x":1}',
        },
      ],
    ],
  ])('%s', (_, fields, output) => expect(outputOf(fields)).toStrictEqual(output));

  test('log probabilities, their bytes filled in', () => {
    const token = { token: 'é', logprob: -1, bytes: null };
    const content = [{ ...token, top_logprobs: [{ ...token, bytes: [195, 169] }] }];
    const told = { token: 'é', logprob: -1, bytes: [195, 169] };
    expect(answered({ logprobs: { content, refusal: null } })?.output).toStrictEqual([
      item(text('Hello', { logprobs: [{ ...told, top_logprobs: [told] }] })),
    ]);
  });
});

describe('how it ended', () => {
  test.each([
    ['length', 'max_output_tokens'],
    ['content_filter', 'content_filter'],
  ])('%s is incomplete', (finish_reason, reason) => {
    expect(answered({ finish_reason })).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason },
      output: [{ status: 'incomplete' }],
    });
  });

  test.each(['tool_calls', 'eos', null, undefined])('%s is completed', (finish_reason) => {
    expect(answered({ finish_reason })).toMatchObject({ status: 'completed', incomplete_details: null });
  });

  test('error is failed', () => {
    expect(answered({ finish_reason: 'error', error: { code: 502, message: 'Lost it.' } })).toMatchObject({
      status: 'failed',
      error: { code: 'server_error', message: 'Lost it.' },
    });
  });
});

test('usage is null where nothing was counted, and whole where half was', () => {
  expect(responseOfChat({ ...completion, usage: null }, {})?.usage).toBeNull();
  expect(responseOfChat({ ...completion, usage: { prompt_tokens: 3, completion_tokens: 2 } }, {})?.usage).toStrictEqual(
    {
      input_tokens: 3,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: 2,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 5,
    },
  );
});

test.each([
  null,
  'x',
  [],
  {},
  { id: 'x', choices: [] },
  { id: 'x', choices: [null] },
  { id: 'x', choices: [{ text: 'old' }] },
  { choices: completion.choices },
  { id: 'resp_1', object: 'response', output: [] },
])('%j is no completion', (value) => expect(responseOfChat(value, {})).toBeUndefined());

test('told to a Chat client again it is the completion it was', () => {
  const verdict = {
    type: 'moderation_results',
    model: 'o',
    results: [{ type: 'moderation_result', model: 'o', flagged: false }],
  };
  const call = { id: 'call_a', type: 'function', function: { name: 'f', arguments: '{}' } };
  const whole = {
    ...completion,
    choices: [
      {
        index: 0,
        message: { ...message, annotations: [], tool_calls: [call] },
        logprobs: null,
        finish_reason: 'tool_calls',
      },
    ],
    moderation: { input: verdict, output: verdict },
  };
  const response = responseOfChat(whole, {});
  const head = { id: 'resp_1', model: 'm-2026', created: 7 };
  expect(response && chatCompletionOf(response, head)).toEqual({ status: 200, body: whole });
});
