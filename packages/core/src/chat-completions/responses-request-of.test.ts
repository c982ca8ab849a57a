import * as fc from 'fast-check';
import type { ChatCompletionCreateParams } from 'openai/resources/chat/completions';
import type { ResponseInputItem, Tool } from 'openai/resources/responses/responses';
import { describe, expect, test } from 'vitest';
import { parseResponsesRequest } from '../responses-request.ts';
import { CHAT_FIELDS } from './chat-request.ts';
import { responsesRequestOf } from './responses-request-of.ts';

const user = { role: 'user', content: 'hi' } as const;
const chat = (fields: Record<string, unknown>) => ({ model: 'gpt-5-mini', messages: [user], ...fields });
/** The request's fields that `fields` adds to those of a bare one. */
function added(fields: Record<string, unknown>) {
  const { model: _model, input: _input, store: _store, ...rest } = responsesRequestOf(chat(fields)).request;
  return rest;
}
const inputOf = (messages: unknown[]) => responsesRequestOf({ messages }).request.input;
const refuse = (body: unknown, expected: { param: string | null; code: string; message?: unknown }, options = {}) =>
  expect(() => responsesRequestOf(body, options)).toThrow(expect.objectContaining(expected));

const closed = { type: 'object', properties: {}, required: [], additionalProperties: false };

test('a bare request: messages under their roles, and Chat’s default of store written out', () => {
  expect(responsesRequestOf(chat({}))).toStrictEqual({
    request: { model: 'gpt-5-mini', input: [user], store: false },
    stream: false,
    includeUsage: false,
    functionCall: false,
  });
});

test('a request of everything that converts is one the SDK’s types and our own parser take', () => {
  const body: ChatCompletionCreateParams = {
    model: 'gpt-5-mini',
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'developer', content: [{ type: 'text', text: 'And kind.' }] },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is this?' },
          { type: 'image_url', image_url: { url: 'https://example.com/a.png', detail: 'low' } },
        ],
      },
      {
        role: 'assistant',
        content: 'Let me see.',
        tool_calls: [{ id: 'call_a', type: 'function', function: { name: 'look', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'call_a', content: 'a cat' },
    ],
    max_completion_tokens: 100,
    metadata: { key: 'job-1' },
    moderation: { model: 'omni-moderation-latest' },
    parallel_tool_calls: false,
    prompt_cache_key: 'k',
    prompt_cache_options: { mode: 'implicit' },
    prompt_cache_retention: '24h',
    reasoning_effort: 'low',
    response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: closed, strict: true } },
    safety_identifier: 's',
    service_tier: 'flex',
    store: true,
    stream: true,
    stream_options: { include_usage: true },
    temperature: 0.5,
    tool_choice: 'auto',
    tools: [{ type: 'function', function: { name: 'look', description: 'Looks.', parameters: { type: 'object' } } }],
    logprobs: true,
    top_logprobs: 3,
    top_p: 0.9,
    user: 'u',
    verbosity: 'low',
    web_search_options: {},
  };
  const input: ResponseInputItem[] = [
    { role: 'system', content: 'Be brief.' },
    { role: 'developer', content: [{ type: 'input_text', text: 'And kind.' }] },
    {
      role: 'user',
      content: [
        { type: 'input_text', text: 'What is this?' },
        { type: 'input_image', image_url: 'https://example.com/a.png', detail: 'low' },
      ],
    },
    { role: 'assistant', content: 'Let me see.' },
    { type: 'function_call', call_id: 'call_a', name: 'look', arguments: '{}' },
    { type: 'function_call_output', call_id: 'call_a', output: 'a cat' },
  ];
  const tools: Tool[] = [
    { type: 'function', name: 'look', description: 'Looks.', parameters: { type: 'object' }, strict: false },
    { type: 'web_search' },
  ];
  const converted = responsesRequestOf(body);
  expect(converted).toStrictEqual({
    request: {
      model: 'gpt-5-mini',
      input,
      store: true,
      metadata: { key: 'job-1' },
      moderation: { model: 'omni-moderation-latest' },
      parallel_tool_calls: false,
      prompt_cache_key: 'k',
      prompt_cache_options: { mode: 'implicit' },
      prompt_cache_retention: '24h',
      safety_identifier: 's',
      service_tier: 'flex',
      temperature: 0.5,
      top_p: 0.9,
      user: 'u',
      max_output_tokens: 100,
      reasoning: { effort: 'low' },
      text: {
        format: { type: 'json_schema', name: 'answer', schema: closed, strict: true },
        verbosity: 'low',
      },
      tools,
      tool_choice: 'auto',
      include: ['message.output_text.logprobs'],
      top_logprobs: 3,
    },
    stream: true,
    includeUsage: true,
    functionCall: false,
  });
  expect(parseResponsesRequest(converted.request)).toBe(converted.request);
});

describe('messages', () => {
  test.each<[string, unknown, unknown[]]>([
    ['user text', user, [user]],
    ['user null name', { ...user, name: null }, [user]],
    [
      'an image by its bare URL, detail filled in',
      { role: 'user', content: [{ type: 'image_url', image_url: 'data:image/png;base64,iVBORw0KGgo=' }] },
      [
        {
          role: 'user',
          content: [{ type: 'input_image', image_url: 'data:image/png;base64,iVBORw0KGgo=', detail: 'auto' }],
        },
      ],
    ],
    [
      'audio as it is',
      { role: 'user', content: [{ type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } }] },
      [{ role: 'user', content: [{ type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } }] }],
    ],
    [
      'a file by id, and one with its data',
      {
        role: 'user',
        content: [
          { type: 'file', file: { file_id: 'file_1' } },
          {
            type: 'file',
            file: { filename: 'a.pdf', file_data: 'data:,x' },
            prompt_cache_breakpoint: { mode: 'explicit' },
          },
        ],
      },
      [
        {
          role: 'user',
          content: [
            { type: 'input_file', file_id: 'file_1' },
            {
              type: 'input_file',
              filename: 'a.pdf',
              file_data: 'data:,x',
              prompt_cache_breakpoint: { mode: 'explicit' },
            },
          ],
        },
      ],
    ],
    ['an empty answer', { role: 'assistant', content: '' }, [{ role: 'assistant', content: '' }]],
    [
      'answered parts',
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'a' },
          { type: 'refusal', refusal: 'b' },
        ],
      },
      [
        {
          role: 'assistant',
          content: [
            { type: 'output_text', text: 'a', annotations: [] },
            { type: 'refusal', refusal: 'b' },
          ],
        },
      ],
    ],
    [
      'a refusal beside null content',
      { role: 'assistant', content: null, refusal: 'no' },
      [{ role: 'assistant', content: [{ type: 'refusal', refusal: 'no' }] }],
    ],
    [
      'a refusal beside text',
      { role: 'assistant', content: 'Hm.', refusal: 'no' },
      [
        {
          role: 'assistant',
          content: [
            { type: 'output_text', text: 'Hm.', annotations: [] },
            { type: 'refusal', refusal: 'no' },
          ],
        },
      ],
    ],
    [
      'a tool’s output in parts',
      { role: 'tool', tool_call_id: 'c', content: [{ type: 'text', text: 'x' }], name: 'look' },
      [{ type: 'function_call_output', call_id: 'c', output: [{ type: 'input_text', text: 'x' }] }],
    ],
  ])('%s', (_name, message, items) => {
    expect(inputOf([message])).toStrictEqual(items);
  });

  test.each([null, '', []])('an answer of calls alone has no message: content %o', (content) => {
    const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{"a":1}' } };
    expect(inputOf([{ role: 'assistant', content, tool_calls: [call, { ...call, id: 'd' }] }])).toStrictEqual([
      { type: 'function_call', call_id: 'c', name: 'f', arguments: '{"a":1}' },
      { type: 'function_call', call_id: 'd', name: 'f', arguments: '{"a":1}' },
    ]);
  });

  test('an answer as SDKs hand it out can be sent back as it is', () => {
    const echo = {
      role: 'assistant',
      content: 'done',
      refusal: null,
      annotations: [],
      audio: null,
      function_call: null,
      parsed: { a: 1 },
      reasoning_content: 'hm',
      name: 'agent',
      tool_calls: [
        { id: 'c', index: 0, type: 'function', function: { name: 'f', arguments: '{}', parsed_arguments: {} } },
      ],
    };
    expect(inputOf([echo])).toStrictEqual([
      { role: 'assistant', content: 'done' },
      { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
    ]);
  });

  test('the output of a custom tool’s call is an item of its own type', () => {
    const call = { id: 'c', type: 'custom', custom: { name: 'shell', input: 'ls' } };
    expect(
      inputOf([
        { role: 'assistant', tool_calls: [call] },
        { role: 'tool', tool_call_id: 'c', content: 'a.txt' },
      ]),
    ).toStrictEqual([
      { type: 'custom_tool_call', call_id: 'c', name: 'shell', input: 'ls' },
      { type: 'custom_tool_call_output', call_id: 'c', output: 'a.txt' },
    ]);
  });

  test('deprecated function messages get the id of the call they answer, the same for the same conversation', () => {
    const messages = [
      user,
      { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{}' } },
      { role: 'function', name: 'f', content: '1' },
      { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{}' } },
      { role: 'function', name: 'f', content: null },
    ];
    expect(inputOf(messages)).toStrictEqual([
      user,
      { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'call_1', output: '1' },
      { type: 'function_call', call_id: 'call_3', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'call_3', output: '' },
    ]);
  });

  const toolCall = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } };
  test.each<[unknown, string, string]>([
    ['x', 'messages[0]', 'invalid_type'],
    [{}, 'messages[0].role', 'missing_required_parameter'],
    [{ role: 'ai', content: 'x' }, 'messages[0].role', 'invalid_value'],
    [{ role: 'user' }, 'messages[0].content', 'missing_required_parameter'],
    [{ role: 'user', content: null }, 'messages[0].content', 'invalid_type'],
    [{ role: 'user', content: 'x', name: 'Ada' }, 'messages[0].name', 'unsupported_parameter'],
    [{ role: 'user', content: 'x', weight: 1 }, 'messages[0].weight', 'unknown_parameter'],
    [{ role: 'user', content: ['x'] }, 'messages[0].content[0]', 'invalid_type'],
    [{ role: 'user', content: [{ text: 'x' }] }, 'messages[0].content[0].type', 'missing_required_parameter'],
    [{ role: 'user', content: [{ type: 'text' }] }, 'messages[0].content[0].text', 'missing_required_parameter'],
    [{ role: 'user', content: [{ type: 'input_text', text: 'x' }] }, 'messages[0].content[0].type', 'invalid_value'],
    [
      { role: 'user', content: [{ type: 'image_url', image_url: {} }] },
      'messages[0].content[0].image_url.url',
      'missing_required_parameter',
    ],
    [{ role: 'user', content: [{ type: 'file' }] }, 'messages[0].content[0].file', 'missing_required_parameter'],
    [
      { role: 'user', content: [{ type: 'input_audio', input_audio: 'x' }] },
      'messages[0].content[0].input_audio',
      'invalid_type',
    ],
    [{ role: 'assistant' }, 'messages[0].content', 'missing_required_parameter'],
    [{ role: 'assistant', audio: { id: 'a' } }, 'messages[0].audio', 'unsupported_parameter'],
    [{ role: 'assistant', refusal: 5 }, 'messages[0].refusal', 'invalid_type'],
    [
      { role: 'assistant', content: [{ type: 'image_url', image_url: 'x' }] },
      'messages[0].content[0].type',
      'invalid_value',
    ],
    [{ role: 'assistant', tool_calls: toolCall }, 'messages[0].tool_calls', 'invalid_type'],
    [
      { role: 'assistant', tool_calls: [{ ...toolCall, id: undefined }] },
      'messages[0].tool_calls[0].id',
      'missing_required_parameter',
    ],
    [
      { role: 'assistant', tool_calls: [{ ...toolCall, function: { name: 'f', arguments: {} } }] },
      'messages[0].tool_calls[0].function.arguments',
      'invalid_type',
    ],
    [
      { role: 'assistant', tool_calls: [{ ...toolCall, type: 'mcp' }] },
      'messages[0].tool_calls[0].type',
      'invalid_value',
    ],
    [{ role: 'tool', content: 'x' }, 'messages[0].tool_call_id', 'missing_required_parameter'],
    [{ role: 'tool', tool_call_id: 'c' }, 'messages[0].content', 'missing_required_parameter'],
    [{ role: 'function', name: 'f', content: 'x' }, 'messages[0].name', 'invalid_value'],
  ])('%o is refused at its place', (message, param, code) => {
    refuse({ messages: [message] }, { param, code });
  });

  test('none at all are refused', () => {
    refuse({ messages: [] }, { param: 'messages', code: 'empty_array' });
  });
});

describe('tools', () => {
  const noParameters = { type: 'object', properties: {}, required: [], additionalProperties: false };

  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    [
      'a function without strict is written as not strict',
      { tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' }, strict: null } }] },
      { tools: [{ type: 'function', name: 'f', parameters: { type: 'object' }, strict: false }] },
    ],
    [
      'a strict function without parameters has the empty list of them',
      { tools: [{ type: 'function', function: { name: 'f', strict: true } }] },
      { tools: [{ type: 'function', name: 'f', parameters: noParameters, strict: true }] },
    ],
    [
      'custom tools, free and by a grammar',
      {
        tools: [
          { type: 'custom', custom: { name: 'a', description: 'd', format: { type: 'text' } } },
          {
            type: 'custom',
            custom: { name: 'b', format: { type: 'grammar', grammar: { syntax: 'regex', definition: 'x+' } } },
          },
        ],
      },
      {
        tools: [
          { type: 'custom', name: 'a', description: 'd', format: { type: 'text' } },
          { type: 'custom', name: 'b', format: { type: 'grammar', syntax: 'regex', definition: 'x+' } },
        ],
      },
    ],
    ['no tools', { tools: [] }, {}],
    ['required', { tool_choice: 'required' }, { tool_choice: 'required' }],
    [
      'one function',
      { tool_choice: { type: 'function', function: { name: 'f' } } },
      { tool_choice: { type: 'function', name: 'f' } },
    ],
    [
      'one custom tool',
      { tool_choice: { type: 'custom', custom: { name: 'f' } } },
      { tool_choice: { type: 'custom', name: 'f' } },
    ],
    [
      'allowed tools',
      {
        tool_choice: {
          type: 'allowed_tools',
          allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'f' } }] },
        },
      },
      { tool_choice: { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'f' }] } },
    ],
    [
      'web search, near a place',
      {
        web_search_options: {
          search_context_size: 'low',
          user_location: { type: 'approximate', approximate: { city: 'Paris' } },
        },
      },
      {
        tools: [
          { type: 'web_search', search_context_size: 'low', user_location: { type: 'approximate', city: 'Paris' } },
        ],
      },
    ],
    [
      'deprecated functions, of which one is to be called',
      { functions: [{ name: 'f' }], function_call: { name: 'f' }, tools: [] },
      {
        tools: [{ type: 'function', name: 'f', parameters: noParameters, strict: false }],
        tool_choice: { type: 'function', name: 'f' },
        parallel_tool_calls: false,
      },
    ],
    ['deprecated choice by word', { function_call: 'none' }, { tool_choice: 'none' }],
  ])('%s', (_name, fields, expected) => {
    expect(added(fields)).toStrictEqual(expected);
  });

  test('a client of deprecated functions is to be answered in their shape', () => {
    expect(responsesRequestOf(chat({ functions: [{ name: 'f' }] })).functionCall).toBe(true);
    expect(responsesRequestOf(chat({ functions: [] })).functionCall).toBe(false);
  });

  test.each<[Record<string, unknown>, string, string]>([
    [{ tools: ['f'] }, 'tools[0]', 'invalid_type'],
    [{ tools: [{ function: { name: 'f' } }] }, 'tools[0].type', 'missing_required_parameter'],
    [{ tools: [{ type: 'function', name: 'f' }] }, 'tools[0].function', 'missing_required_parameter'],
    [{ tools: [{ type: 'function', function: {} }] }, 'tools[0].function.name', 'missing_required_parameter'],
    [{ tools: [{ type: 'web_search' }] }, 'tools[0].type', 'invalid_value'],
    [{ tools: [{ type: 'custom' }] }, 'tools[0].custom', 'missing_required_parameter'],
    [
      { tools: [{ type: 'custom', custom: { name: 'a', format: { type: 'grammar', definition: 'x' } } }] },
      'tools[0].custom.format.grammar',
      'missing_required_parameter',
    ],
    [{ functions: [{ description: 'd' }] }, 'functions[0].name', 'missing_required_parameter'],
    [{ functions: [{ name: 'f' }], tools: [{}] }, 'functions', 'mutually_exclusive_parameters'],
    [{ function_call: 'auto', tool_choice: 'auto' }, 'function_call', 'mutually_exclusive_parameters'],
    [{ function_call: {} }, 'function_call.name', 'missing_required_parameter'],
    [{ tool_choice: 'any' }, 'tool_choice', 'invalid_value'],
    [{ tool_choice: { type: 'function', name: 'f' } }, 'tool_choice.function', 'missing_required_parameter'],
    [{ tool_choice: { type: 'mcp' } }, 'tool_choice.type', 'invalid_value'],
    [
      { tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [{ type: 'x' }] } } },
      'tool_choice.allowed_tools.tools[0].type',
      'invalid_value',
    ],
    [
      { web_search_options: { user_location: {} } },
      'web_search_options.user_location.approximate',
      'missing_required_parameter',
    ],
  ])('%o is refused at its place', (fields, param, code) => {
    refuse(chat(fields), { param, code });
  });
});

describe('what the text is to be', () => {
  test.each<[Record<string, unknown>, unknown]>([
    [{ response_format: { type: 'text' } }, { format: { type: 'text' } }],
    [{ response_format: { type: 'json_object' } }, { format: { type: 'json_object' } }],
    [
      { response_format: { type: 'json_schema', json_schema: { name: 'a', description: 'd', schema: {} } } },
      { format: { type: 'json_schema', name: 'a', description: 'd', schema: {}, strict: false } },
    ],
    [{ verbosity: 'high' }, { verbosity: 'high' }],
    [{ response_format: null, verbosity: null }, undefined],
  ])('%o', (fields, text) => {
    expect(added(fields).text).toStrictEqual(text);
  });

  test.each<[unknown, string, string]>([
    [{}, 'response_format.type', 'missing_required_parameter'],
    [{ type: 'grammar', grammar: 'x' }, 'response_format.type', 'invalid_value'],
    [{ type: 'json_object', schema: {} }, 'response_format.schema', 'unknown_parameter'],
    [{ type: 'json_schema' }, 'response_format.json_schema', 'missing_required_parameter'],
    [
      { type: 'json_schema', json_schema: { schema: {} } },
      'response_format.json_schema.name',
      'missing_required_parameter',
    ],
    [
      { type: 'json_schema', json_schema: { name: 'a' } },
      'response_format.json_schema.schema',
      'missing_required_parameter',
    ],
    [{ type: 'json_schema', name: 'a', schema: {} }, 'response_format.name', 'unknown_parameter'],
  ])('the format %o is refused at its place', (format, param, code) => {
    refuse(chat({ response_format: format }), { param, code });
  });
});

describe('limits and probabilities', () => {
  test.each<[Record<string, unknown>, Record<string, unknown>]>([
    [{ max_tokens: 5 }, { max_output_tokens: 5 }],
    [{ max_completion_tokens: 1 }, { max_output_tokens: 1 }],
    [{ max_tokens: 20, max_completion_tokens: 20 }, { max_output_tokens: 20 }],
    [{ logprobs: true }, { include: ['message.output_text.logprobs'] }],
    [
      { logprobs: true, top_logprobs: 0 },
      { include: ['message.output_text.logprobs'], top_logprobs: 0 },
    ],
    [{ logprobs: false, top_logprobs: 0 }, {}],
    [{ reasoning_effort: 'none' }, { reasoning: { effort: 'none' } }],
    [{ reasoning_effort: null }, {}],
  ])('%o', (fields, expected) => {
    expect(added(fields)).toStrictEqual(expected);
  });

  test('contradictions are refused', () => {
    refuse(chat({ max_tokens: 1, max_completion_tokens: 2 }), { param: 'max_tokens', code: 'unsupported_parameter' });
    refuse(chat({ top_logprobs: 2 }), { param: 'top_logprobs', code: 'invalid_value' });
  });
});

describe('what has no counterpart', () => {
  test.each<[string, unknown]>([
    ['audio', { voice: 'alloy', format: 'wav' }],
    ['frequency_penalty', 0.5],
    ['logit_bias', { 50256: -100 }],
    ['modalities', ['text', 'audio']],
    ['n', 2],
    ['prediction', { type: 'content', content: 'x' }],
    ['presence_penalty', -1],
    ['seed', 42],
    ['stop', ['\n']],
    ['stop', 'END'],
  ])('%s: %o is refused by name, with the reason', (field, value) => {
    refuse(chat({ [field]: value }), {
      param: field,
      code: 'unsupported_parameter',
      message: expect.stringMatching(`^Unsupported parameter: '${field}' is not supported here. The Responses API .+`),
    });
  });

  test('what asks for nothing passes, as LangChain and others send it', () => {
    const fields = {
      audio: null,
      frequency_penalty: 0,
      logit_bias: {},
      modalities: ['text'],
      n: 1,
      prediction: null,
      presence_penalty: 0,
      seed: null,
      stop: [],
      stream: false,
      stream_options: null,
      tools: null,
      tool_choice: null,
    };
    expect(added(fields)).toStrictEqual({});
    expect(added({ stop: '' })).toStrictEqual({});
  });

  test('an upstream that takes a field beyond OpenAI’s own is sent it', () => {
    const extraFields = ['seed', 'top_k', 'max_tokens', 'input'];
    const { request } = responsesRequestOf(chat({ seed: 42, top_k: 5, max_tokens: 20 }), { extraFields });
    expect(request).toStrictEqual({
      model: 'gpt-5-mini',
      input: [user],
      store: false,
      seed: 42,
      top_k: 5,
      max_output_tokens: 20,
    });
    refuse(chat({ input: 'x' }), { param: 'input', code: 'unknown_parameter' }, { extraFields });
  });
});

test('a fault is told by its place in what the caller sent', () => {
  const at = { at: 'body' };
  refuse({ messages: [{}] }, { param: 'body.messages[0].role', code: 'missing_required_parameter' }, at);
  refuse(chat({ n: 2 }), { param: 'body.n', code: 'unsupported_parameter' }, at);
  refuse(chat({ tools: [{}] }), { param: 'body.tools[0].type', code: 'missing_required_parameter' }, at);
  refuse(5, { param: 'body', code: 'invalid_type' }, at);
});

describe('whatever is JSON', () => {
  const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } };
  const whole = {
    messages: [
      { role: 'developer', content: [{ type: 'text', text: 'x' }] },
      {
        role: 'user',
        content: [{ type: 'image_url', image_url: { url: 'https://example.com/a.png', detail: 'low' } }],
      },
      {
        role: 'user',
        content: [
          { type: 'file', file: { file_id: 'file_1' } },
          { type: 'input_audio', input_audio: {} },
        ],
      },
      {
        role: 'assistant',
        content: 'x',
        refusal: 'x',
        tool_calls: [call],
        function_call: { name: 'g', arguments: '' },
      },
      { role: 'assistant', content: null, tool_calls: [{ id: 'd', type: 'custom', custom: { name: 'h', input: '' } }] },
      { role: 'tool', tool_call_id: 'd', content: [{ type: 'text', text: 'x' }] },
      { role: 'function', name: 'g', content: 'x' },
    ],
    metadata: { key: 'x' },
    response_format: { type: 'json_schema', json_schema: { name: 'a', schema: {}, strict: null } },
    tools: [
      { type: 'function', function: { name: 'f', parameters: {} } },
      {
        type: 'custom',
        custom: { name: 'h', format: { type: 'grammar', grammar: { syntax: 'lark', definition: '' } } },
      },
    ],
    tool_choice: {
      type: 'allowed_tools',
      allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'f' } }] },
    },
    web_search_options: { user_location: { type: 'approximate', approximate: { city: 'x' } } },
    logprobs: true,
    stream_options: {},
    ...Object.fromEntries(
      [...CHAT_FIELDS]
        .filter((field) => !/^messages|model|meta|form|tool|search|prob|options/.test(field))
        .map((field) => [field, null]),
    ),
  };

  type Place = { holder: Record<string, unknown>; key: string };
  const placesIn = (value: unknown): Place[] =>
    typeof value !== 'object' || value === null
      ? []
      : Object.entries(value).flatMap(([key, member]) => [
          { holder: value as Record<string, unknown>, key },
          ...placesIn(member),
        ]);

  test('is refused as a caller’s mistake or becomes a request our own parser takes', () => {
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom('text', 'refusal', 'file', 'function', 'custom', 'user', 'tool', 'grammar', 'required'),
      fc.constantFrom({}, [], [{}], [null], undefined, 1, true, ''),
    );
    const changes = fc.array(fc.tuple(fc.nat(), value), { minLength: 1, maxLength: 2 });
    const changed = changes.map((list) => {
      const body = structuredClone(whole);
      for (const [at, to] of list) {
        const places = placesIn(body);
        const place = places[at % places.length];
        if (place) place.holder[place.key] = structuredClone(to);
      }
      return JSON.parse(JSON.stringify(body)) as unknown;
    });
    let taken = 0;
    let refused = 0;
    const property = fc.property(
      fc.oneof({ weight: 9, arbitrary: changed }, { weight: 1, arbitrary: fc.jsonValue() }),
      (sent) => {
        let request: unknown;
        try {
          request = responsesRequestOf(sent).request;
          taken++;
        } catch (error) {
          expect(error).toMatchObject({ name: 'InvalidRequestError', code: expect.any(String) });
          refused++;
          return;
        }
        expect(parseResponsesRequest(request)).toBe(request);
      },
    );
    fc.assert(property, { numRuns: 1_500 });
    expect(Math.min(taken, refused)).toBeGreaterThan(100);
  });

  test('the request that is changed there is one that is taken', () => {
    expect(() => responsesRequestOf(whole)).not.toThrow();
  });
});

test('a schema that strict mode would refuse is refused in the words of the older API', () => {
  const schema = { ...closed, properties: { a: { type: 'object' } }, required: ['a'] };
  const chat = (strict: boolean) => ({
    model: 'm',
    messages: [{ role: 'user', content: 'x' }],
    response_format: { type: 'json_schema', json_schema: { name: 'a', schema, strict } },
  });
  expect(() => responsesRequestOf(chat(true), { at: 'body' })).toThrow(
    expect.objectContaining({
      param: 'body.response_format.json_schema.schema.properties.a',
      code: 'invalid_json_schema',
    }),
  );
  expect(() => responsesRequestOf(chat(false))).not.toThrow();
});
