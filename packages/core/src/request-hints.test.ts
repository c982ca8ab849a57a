import { describe, expect, test } from 'vitest';
import { parseResponsesRequest } from './responses-request.ts';

const refuse = (body: Record<string, unknown>, param: string, code: string, message: string) =>
  expect(() => parseResponsesRequest(body)).toThrow(expect.objectContaining({ param, code, message }));

const user = (...content: unknown[]) => ({ input: [{ role: 'user', content }] });
const assistant = (...content: unknown[]) => ({ input: [{ role: 'assistant', content }] });

describe('a top-level name of another API is refused with the right one', () => {
  test.each([
    ['messages', 'input'],
    ['system', 'instructions'],
    ['response_format', 'text.format'],
    ['verbosity', 'text.verbosity'],
    ['reasoning_effort', 'reasoning.effort'],
    ['reasoning_summary', 'reasoning.summary'],
    ['max_tokens', 'max_output_tokens'],
    ['max_completion_tokens', 'max_output_tokens'],
    ['functions', 'tools'],
    ['function_call', 'tool_choice'],
  ])('%s → %s', (wrong, right) => {
    const message = `Unknown parameter: '${wrong}'. The Responses API calls this '${right}'.`;
    refuse({ input: 'hi', [wrong]: 1 }, wrong, 'unknown_parameter', message);
  });

  test.each([
    ['n', /answers once/],
    ['logprobs', /'include', and 'top_logprobs'/],
    ['web_search_options', /"web_search"/],
    ['stop', /no stop sequences; .* extraFields/],
    ['seed', /no seed; .* extraFields/],
    ['presence_penalty', /no presence penalty; .* extraFields/],
    ['frequency_penalty', /no frequency penalty; .* extraFields/],
    ['logit_bias', /no logit bias; .* extraFields/],
  ])('%s has no field of its own here, and the refusal says so', (wrong, words) => {
    expect(() => parseResponsesRequest({ input: 'hi', [wrong]: 1 })).toThrow(words);
  });

  test('an upstream that takes such a name gets it', () => {
    const body = { input: 'hi', stop: ['.'], seed: 1 };
    expect(parseResponsesRequest(body, { extraFields: ['stop', 'seed'] })).toBe(body);
  });
});

describe('a wrong content part is refused with the right one', () => {
  test.each([
    ['text', 'input_text', user],
    ['text', 'output_text', assistant],
    ['image_url', 'input_image', user],
    ['file', 'input_file', user],
  ] as const)('%s → %s', (wrong, right, message) => {
    expect(() => parseResponsesRequest(message({ type: 'input_file' }, { type: wrong }))).toThrow(
      expect.objectContaining({
        param: 'input[0].content[1].type',
        code: 'invalid_value',
        message: expect.stringContaining(`Invalid value: '${wrong}'. The Responses API calls this '${right}'.`),
      }),
    );
  });

  test.each(['system', 'developer'])('text → input_text in a %s message too', (role) => {
    expect(() => parseResponsesRequest({ input: [{ role, content: [{ type: 'text', text: 'x' }] }] })).toThrow(
      /calls this 'input_text'/,
    );
  });

  test.each(['image_url', 'file'])('%s has no place in an assistant message', (type) => {
    expect(() => parseResponsesRequest(assistant({ type }))).toThrow(/in an assistant message; a user message takes/);
  });

  test('image_url: {url} → a string', () => {
    refuse(
      user({ type: 'input_image', image_url: { url: 'https://example.com/a.png' } }),
      'input[0].content[0].image_url',
      'invalid_type',
      'Invalid type for \'input[0].content[0].image_url\': expected a string, but got an object instead. The Responses API takes the URL itself, not {"url": …}.',
    );
  });

  test.each(['function_call_output', 'custom_tool_call_output'])('in the output of a %s too', (type) => {
    expect(() => parseResponsesRequest({ input: [{ type, call_id: 'c', output: [{ type: 'text' }] }] })).toThrow(
      expect.objectContaining({ param: 'input[0].output[0].type' }),
    );
  });
});

describe('a wrong message is refused with the right item', () => {
  test.each([
    ['tool', /function_call_output/],
    ['function', /function_call_output/],
    ['human', /calls this 'user'/],
    ['ai', /calls this 'assistant'/],
    ['model', /calls this 'assistant'/],
  ])('role %s', (role, message) => {
    expect(() =>
      parseResponsesRequest({
        input: [
          { role: 'user', content: 'q' },
          { role, content: 'a' },
        ],
      }),
    ).toThrow(
      expect.objectContaining({
        param: 'input[1].role',
        code: 'invalid_value',
        message: expect.stringMatching(message),
      }),
    );
  });

  test.each(['tool_calls', 'function_call'])('%s of an assistant message', (field) => {
    expect(() => parseResponsesRequest({ input: [{ role: 'assistant', content: null, [field]: [{}] }] })).toThrow(
      expect.objectContaining({
        param: `input[0].${field}`,
        code: 'unknown_parameter',
        message: expect.stringContaining('{"type": "function_call", call_id, name, arguments}'),
      }),
    );
  });
});

describe('a tool or format in the shape of Chat Completions is refused with the flat one', () => {
  test('tools: {type: "function", function: {…}}', () => {
    const tool = { type: 'function', function: { name: 'f', parameters: {} } };
    refuse(
      { input: 'hi', tools: [{ type: 'web_search' }, tool] },
      'tools[1].function',
      'unknown_parameter',
      'Unknown parameter: \'tools[1].function\'. The Responses API takes a function\'s fields in the tool itself: {"type": "function", name, parameters, strict}.',
    );
  });

  test('tool_choice: {type: "function", function: {name}}', () => {
    refuse(
      { input: 'hi', tool_choice: { type: 'function', function: { name: 'f' } } },
      'tool_choice.function',
      'unknown_parameter',
      'Unknown parameter: \'tool_choice.function\'. The Responses API takes {"type": "function", name}.',
    );
  });

  test('text.format: {type: "json_schema", json_schema: {…}}', () => {
    expect(() =>
      parseResponsesRequest({ input: 'hi', text: { format: { type: 'json_schema', json_schema: { name: 'n' } } } }),
    ).toThrow(expect.objectContaining({ param: 'text.format.json_schema', code: 'unknown_parameter' }));
  });

  test('file_search: file_ids → vector_store_ids', () => {
    refuse(
      { input: 'hi', tools: [{ type: 'file_search', file_ids: ['f'] }] },
      'tools[0].file_ids',
      'unknown_parameter',
      "Unknown parameter: 'tools[0].file_ids'. The Responses API calls this 'vector_store_ids'. It takes vector stores, not files.",
    );
  });
});

test('paths start where the request stands in what was sent', () => {
  expect(() => parseResponsesRequest({ messages: [] }, { at: 'request' })).toThrow(
    "Unknown parameter: 'request.messages'. The Responses API calls this 'input'.",
  );
  expect(() => parseResponsesRequest(user({ type: 'text' }), { at: 'request' })).toThrow(
    expect.objectContaining({ param: 'request.input[0].content[0].type' }),
  );
});
