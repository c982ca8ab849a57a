import * as fc from 'fast-check';
import type { ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat/completions';
import type { ResponseCreateParamsNonStreaming } from 'openai/resources/responses/responses';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { RESPONSES_FIELDS } from '../responses-request.ts';
import type { ChatRequestBody } from './chat-request-body.ts';
import { chatRequestOf } from './chat-request-of.ts';
import { responsesRequestOf } from './responses-request-of.ts';

const converted = (fields: Record<string, unknown>) => {
  const result = chatRequestOf({ model: 'm', input: 'x', ...fields });
  return 'fault' in result ? result.fault : result.request;
};
const messagesOf = (input: unknown) => {
  const result = converted({ input });
  return typeof result === 'string' ? result : result.messages;
};
/** What `fields` adds to a bare request. */
function added(fields: Record<string, unknown>) {
  const result = converted(fields);
  if (typeof result === 'string') return result;
  const { model: _, messages: __, ...rest } = result;
  return rest;
}
const user = { role: 'user', content: 'x' };
const call = (id: string) => ({ type: 'function_call', call_id: id, name: 'f', arguments: '{}' });
const output = (id: string) => ({ type: 'function_call_output', call_id: id, output: 'done' });
const toolCall = (id: string) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } });
const toolMessage = (id: string) => ({ role: 'tool', tool_call_id: id, content: 'done' });
const said = (text: string) => ({
  type: 'message',
  id: 'msg_1',
  status: 'completed',
  role: 'assistant',
  content: [{ type: 'output_text', text, annotations: [] }],
});

test('a request of everything that converts is one the SDK’s types take', () => {
  const body: ResponseCreateParamsNonStreaming = {
    model: 'gpt-5-mini',
    instructions: 'Be brief.',
    input: [
      { role: 'developer', content: [{ type: 'input_text', text: 'And kind.' }] },
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'What is this?' },
          { type: 'input_image', image_url: 'https://example.com/a.png', detail: 'low' },
          { type: 'input_file', file_data: 'data:application/pdf;base64,AA==', filename: 'a.pdf', file_id: null },
        ],
      },
      { type: 'reasoning', id: 'rs_1', summary: [] },
      { role: 'assistant', content: 'Let me see.' },
      { type: 'function_call', id: 'fc_1', status: 'completed', call_id: 'call_a', name: 'look', arguments: '{}' },
      { type: 'function_call_output', call_id: 'call_a', output: [{ type: 'input_text', text: 'a cat' }] },
    ],
    include: ['message.output_text.logprobs'],
    max_output_tokens: 100,
    metadata: { key: 'job-1' },
    parallel_tool_calls: false,
    prompt_cache_key: 'k',
    prompt_cache_retention: '24h',
    reasoning: { effort: 'low', summary: null },
    safety_identifier: 's',
    service_tier: 'flex',
    store: false,
    temperature: 0.5,
    text: { format: { type: 'json_schema', name: 'a', schema: { type: 'object' }, strict: true }, verbosity: 'low' },
    tool_choice: { type: 'function', name: 'look' },
    tools: [{ type: 'function', name: 'look', description: 'Looks.', parameters: { type: 'object' }, strict: false }],
    top_logprobs: 3,
    top_p: 0.9,
    truncation: 'disabled',
    user: 'u',
  };
  const expected: ChatCompletionCreateParamsNonStreaming = {
    model: 'gpt-5-mini',
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'developer', content: [{ type: 'text', text: 'And kind.' }] },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is this?' },
          { type: 'image_url', image_url: { url: 'https://example.com/a.png', detail: 'low' } },
          { type: 'file', file: { file_data: 'data:application/pdf;base64,AA==', filename: 'a.pdf' } },
        ],
      },
      {
        role: 'assistant',
        content: 'Let me see.',
        tool_calls: [{ id: 'call_a', type: 'function', function: { name: 'look', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'call_a', content: [{ type: 'text', text: 'a cat' }] },
    ],
    logprobs: true,
    max_completion_tokens: 100,
    metadata: { key: 'job-1' },
    parallel_tool_calls: false,
    prompt_cache_key: 'k',
    prompt_cache_retention: '24h',
    reasoning_effort: 'low',
    response_format: { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object' }, strict: true } },
    safety_identifier: 's',
    service_tier: 'flex',
    store: false,
    temperature: 0.5,
    tool_choice: { type: 'function', function: { name: 'look' } },
    tools: [
      {
        type: 'function',
        function: { name: 'look', description: 'Looks.', parameters: { type: 'object' }, strict: false },
      },
    ],
    top_logprobs: 3,
    top_p: 0.9,
    user: 'u',
    verbosity: 'low',
  };
  expect(chatRequestOf({ ...body })).toStrictEqual({ request: expected });
  expectTypeOf<ChatRequestBody & { model: string }>().toExtend<ChatCompletionCreateParamsNonStreaming>();
});

const closed = { type: 'object', properties: {}, required: [], additionalProperties: false };

describe('messages', () => {
  test.each<[string, unknown, unknown]>([
    ['a string is the user’s', 'x', [user]],
    ['a message needs no type', [user], [user]],
    [
      'neighbouring calls are one message',
      [user, call('a'), call('b'), output('a'), output('b')],
      [
        user,
        { role: 'assistant', content: null, tool_calls: [toolCall('a'), toolCall('b')] },
        toolMessage('a'),
        toolMessage('b'),
      ],
    ],
    [
      'calls that were answered in between are two',
      [user, call('a'), output('a'), call('b'), output('b')],
      [
        user,
        { role: 'assistant', content: null, tool_calls: [toolCall('a')] },
        toolMessage('a'),
        { role: 'assistant', content: null, tool_calls: [toolCall('b')] },
        toolMessage('b'),
      ],
    ],
    [
      'what was said before or after a call is said with it',
      [user, call('a'), said('y'), call('b'), output('b'), output('a')],
      [
        user,
        { role: 'assistant', content: 'y', tool_calls: [toolCall('a'), toolCall('b')] },
        toolMessage('b'),
        toolMessage('a'),
      ],
    ],
    [
      'a refusal',
      [user, { role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] }, user],
      [user, { role: 'assistant', content: null, refusal: 'No.' }, user],
    ],
  ])('%s', (_, input, messages) => expect(messagesOf(input)).toStrictEqual(messages));

  test.each<[string, unknown, string]>([
    ['an item reference', [user, { type: 'item_reference', id: 'msg_1' }], 'input[1]'],
    ['one without type', [{ id: 'msg_1' }], 'input[0]'],
    ['a hosted tool’s item', [{ type: 'web_search_call', id: 'ws_1' }], 'input[0]'],
    ['a custom tool’s call', [{ type: 'custom_tool_call', call_id: 'a', name: 'f', input: '' }], 'input[0]'],
    ['a call of a namespace', [{ ...call('a'), namespace: 'n' }, output('a')], 'input[0].namespace'],
    ['a call that is not answered', [user, call('a')], 'input[1]'],
    ['a call that is not answered at once', [call('a'), user, output('a')], 'input[1]'],
    ['a call among answers', [call('a'), call('b'), output('a'), call('c'), output('b'), output('c')], 'input[3]'],
    ['the answer of a call elsewhere', [output('a')], 'input[0]'],
    ['an output of images', [call('a'), { ...output('a'), output: [{ type: 'input_image' }] }], 'input[1].output[0]'],
    [
      'an image by its file',
      [{ role: 'user', content: [{ type: 'input_image', file_id: 'f' }] }],
      'input[0].content[0].file_id',
    ],
    [
      'a file by its URL',
      [{ role: 'user', content: [{ type: 'input_file', file_url: 'u' }] }],
      'input[0].content[0].file_url',
    ],
    ['an image from the system', [{ role: 'system', content: [{ type: 'input_image' }] }], 'input[0].content[0]'],
    ['a phase', [{ role: 'assistant', content: 'x', phase: 'commentary' }], 'input[0].phase'],
    ['no items', [], 'input'],
  ])('%s has no counterpart', (_, input, path) => expect(messagesOf(input)).toContain(`'${path}'`));
});

describe('fields', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['previous_response_id', { previous_response_id: 'resp_1' }, 'previous_response_id'],
    ['conversation', { conversation: 'conv_1' }, 'conversation'],
    ['prompt', { prompt: { id: 'p' } }, 'prompt'],
    ['background', { background: true }, 'background'],
    ['an include', { include: ['reasoning.encrypted_content'] }, 'include[0]'],
    ['a reasoning summary', { reasoning: { effort: 'low', summary: 'auto' } }, 'reasoning.summary'],
    ['truncation', { truncation: 'auto' }, 'truncation'],
    ['a tier', { service_tier: 'ultrafast' }, 'service_tier'],
    ['a hosted tool', { tools: [{ type: 'web_search' }] }, 'tools[0]'],
    ['a custom tool', { tools: [{ type: 'custom', name: 'f' }] }, 'tools[0]'],
    [
      'a deferred function',
      { tools: [{ type: 'function', name: 'f', defer_loading: true }] },
      'tools[0].defer_loading',
    ],
    [
      'the choice of a hosted tool',
      { tools: [{ type: 'function', name: 'f' }], tool_choice: { type: 'web_search' } },
      'tool_choice',
    ],
    ['a choice without tools', { tool_choice: 'required' }, 'tool_choice'],
    ['a format', { text: { format: { type: 'grammar' } } }, 'text.format.type'],
    ['several answers, as an extra field', { n: 2 }, 'n'],
    ['a name that Chat Completions uses otherwise', { response_format: { type: 'text' } }, 'response_format'],
    ['no input', { input: undefined }, 'input'],
  ])('%s has no counterpart', (_, fields, path) => expect(added(fields)).toContain(`'${path}'`));

  test('null and false ask for nothing', () => {
    const fields = [...RESPONSES_FIELDS].filter((field) => field !== 'input' && field !== 'model');
    expect(added(Object.fromEntries(fields.map((field) => [field, null])))).toEqual({});
    expect(added({ background: false, stream: true, stream_options: {} })).toEqual({});
  });

  test('every field that Chat Completions has not is refused', () => {
    const kept = /^(input|instructions|max_output_tokens|parallel_tool_calls|stream|stream_options|top_logprobs)$/;
    for (const field of RESPONSES_FIELDS) {
      const result = added({ [field]: 'yes' });
      const same = typeof result === 'object' && result[field as never] === 'yes';
      if (!same && !kept.test(field) && field !== 'model' && field !== 'include' && field !== 'truncation') {
        expect(result, field).toContain(field);
      }
    }
  });

  test('what only the upstream knows goes along', () => {
    expect(added({ seed: 1, stop: ['a'], top_k: 5 })).toEqual({ seed: 1, stop: ['a'], top_k: 5 });
  });

  test('how tools are called is told only where there are some: Chat Completions refuses it otherwise', () => {
    expect(added({ tool_choice: 'auto', parallel_tool_calls: true, tools: [] })).toEqual({});
  });

  test('a function that says nothing of strict is strict where its schema can be', () => {
    const strict = closed;
    const tools = [
      { type: 'function', name: 'f', parameters: strict },
      { type: 'function', name: 'g', parameters: { type: 'object' }, strict: null },
    ];
    expect(added({ tools })).toEqual({
      tools: [
        { type: 'function', function: { name: 'f', parameters: strict, strict: true } },
        { type: 'function', function: { name: 'g', parameters: { type: 'object' } } },
      ],
    });
  });
});

describe('there and back', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 12 });
  const textPart = fc.record({ type: fc.constant('text'), text });
  const texts = fc.oneof(text, fc.array(textPart, { minLength: 2, maxLength: 3 }));
  const imagePart = fc.record({
    type: fc.constant('image_url'),
    image_url: fc.record({ url: fc.webUrl(), detail: fc.constantFrom('auto', 'low', 'high') }),
  });
  const filePart = fc.record({
    type: fc.constant('file'),
    file: fc.record({ file_data: text, filename: text }, { requiredKeys: ['file_data'] }),
  });
  const sent = fc.oneof(text, fc.array(fc.oneof(textPart, imagePart, filePart), { minLength: 1, maxLength: 3 }));
  const asked = fc.oneof(
    fc.record({ role: fc.constantFrom('system', 'developer'), content: texts }),
    fc.record({ role: fc.constant('user'), content: sent }),
  );
  const spoken = fc.oneof(
    fc.record({ role: fc.constant('assistant'), content: texts }),
    fc.record({ role: fc.constant('assistant'), content: fc.constant(null), refusal: fc.string({ minLength: 1 }) }),
  );
  const called = fc
    .record({
      content: fc.option(fc.oneof(fc.string({ minLength: 1 }), fc.array(textPart, { minLength: 2, maxLength: 3 }))),
      calls: fc.array(fc.record({ name: text, args: text, answer: texts }), { minLength: 1, maxLength: 3 }),
      id: fc.uuid(),
    })
    .map(({ content, calls, id }) => [
      {
        role: 'assistant',
        content,
        tool_calls: calls.map((made, nth) => ({
          id: `${id}_${nth}`,
          type: 'function',
          function: { name: made.name, arguments: made.args },
        })),
      },
      ...calls.map((made, nth) => ({ role: 'tool', tool_call_id: `${id}_${nth}`, content: made.answer })),
    ]);
  // What was said right before a call is told with it: a turn of the model ends with somebody else's message.
  const turn = fc.oneof(
    asked.map((message) => [message]),
    fc.tuple(spoken, asked),
    called,
  );
  const schema = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }));
  const tool = fc.record({
    type: fc.constant('function'),
    function: fc.record({ name: text, description: text, parameters: schema, strict: fc.boolean() }),
  });
  const choice = fc.oneof(
    fc.constantFrom('none', 'auto', 'required'),
    text.map((name) => ({ type: 'function', function: { name } })),
    fc.array(text, { maxLength: 2 }).map((names) => ({
      type: 'allowed_tools',
      allowed_tools: { mode: 'auto', tools: names.map((name) => ({ type: 'function', function: { name } })) },
    })),
  );
  const format = fc.oneof(
    fc.constantFrom({ type: 'text' }, { type: 'json_object' }),
    fc
      .record({ name: text, description: text, schema, strict: fc.boolean() })
      .map((named) => (named.strict ? { ...named, schema: closed } : named))
      .map((named) => ({ type: 'json_schema', json_schema: named })),
  );
  const request = fc
    .record(
      {
        model: fc.constant('m'),
        store: fc.boolean(),
        messages: fc.array(turn, { minLength: 1, maxLength: 5 }).map((turns) => turns.flat()),
        toolbox: fc.record(
          {
            tools: fc.array(tool, { minLength: 1, maxLength: 3 }),
            tool_choice: choice,
            parallel_tool_calls: fc.boolean(),
          },
          { requiredKeys: ['tools'] },
        ),
        response_format: format,
        verbosity: fc.constantFrom('low', 'medium', 'high'),
        reasoning_effort: fc.constantFrom('minimal', 'low', 'high'),
        max_completion_tokens: fc.integer({ min: 1, max: 1000 }),
        temperature: fc.constantFrom(0, 0.5, 2),
        top_p: fc.constantFrom(0, 0.5, 1),
        probable: fc.integer({ min: 0, max: 20 }),
        service_tier: fc.constantFrom('auto', 'flex'),
        user: text,
      },
      { requiredKeys: ['model', 'store', 'messages'] },
    )
    .map(({ toolbox, probable, ...fields }) => ({
      ...fields,
      ...toolbox,
      ...(probable === undefined ? {} : { logprobs: true, top_logprobs: probable }),
    }));

  test('a chat request that became a Responses request is the same chat request again', () => {
    fc.assert(
      fc.property(request, (chat) => {
        expect(chatRequestOf(responsesRequestOf(chat).request)).toEqual({ request: chat });
      }),
      { numRuns: 500 },
    );
  });
});

describe('whatever is JSON', () => {
  const whole = {
    model: 'm',
    instructions: 'i',
    input: [
      { role: 'user', content: [{ type: 'input_text', text: 'x' }] },
      { role: 'user', content: [{ type: 'input_image', image_url: 'u' }] },
      { role: 'user', content: [{ type: 'input_file', file_id: 'f' }] },
      call('a'),
      output('a'),
      said('y'),
    ],
    tools: [{ type: 'function', name: 'f', parameters: { type: 'object' } }],
    tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'f' }] },
    text: { format: { type: 'json_schema', name: 'a', schema: {} } },
    reasoning: { effort: 'low' },
    include: ['message.output_text.logprobs'],
    top_logprobs: 1,
  };
  type Place = { holder: Record<string, unknown>; key: string };
  const placesIn = (value: unknown): Place[] =>
    typeof value !== 'object' || value === null
      ? []
      : Object.entries(value).flatMap(([key, member]) => [
          { holder: value as Record<string, unknown>, key },
          ...placesIn(member),
        ]);

  test('is converted or has a fault, and nothing is thrown', () => {
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom('input_text', 'function', 'message', 'assistant', 'reasoning', 'function_call'),
    );
    const results = { request: 0, fault: 0 };
    const property = fc.property(fc.nat(), value, (at, to) => {
      const body = structuredClone(whole);
      const places = placesIn(body);
      const place = places[at % places.length];
      if (place) place.holder[place.key] = to;
      results['fault' in chatRequestOf(body) ? 'fault' : 'request']++;
    });
    fc.assert(property, { numRuns: 1_500 });
    expect(Math.min(results.request, results.fault)).toBeGreaterThan(100);
  });
});
