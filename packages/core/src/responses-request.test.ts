import * as fc from 'fast-check';
import type {
  ResponseCreateParamsNonStreaming,
  ResponseCreateParamsStreaming,
} from 'openai/resources/responses/responses';
import { describe, expect, test } from 'vitest';
import { parseResponsesRequest, RESPONSES_FIELDS, ResponsesRequest } from './responses-request.ts';

type SdkRequest = ResponseCreateParamsNonStreaming | ResponseCreateParamsStreaming;
type SdkField = keyof ResponseCreateParamsNonStreaming | keyof ResponseCreateParamsStreaming;
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

/** The SDK's interfaces as plain JSON types, one level down: an interface is assignable to no index signature. */
type Surface<T> = T extends string | Record<string, string>
  ? T
  : T extends readonly (infer Member)[]
    ? Surface<Member>[]
    : T extends { id: string }
      ? { id: string; [key: string]: unknown }
      : T extends object
        ? Record<string, unknown>
        : T;

const refuse = (body: unknown, expected: { param: string | null; code: string; message?: unknown }) =>
  expect(() => parseResponsesRequest(body)).toThrow(expect.objectContaining(expected));

describe('the field list is the SDK’s', () => {
  // These fail to compile when the SDK gains or loses a field, or widens the type of one.
  const sameFields: Same<SdkField, keyof ResponsesRequest> = true;
  const takesEveryValue = (request: { [F in SdkField]?: Surface<Exclude<SdkRequest[F], undefined>> }) =>
    request satisfies ResponsesRequest;

  test('every field of the SDK is known, and no other', () => {
    const fields: Record<SdkField, true> = {
      access_programs: true,
      background: true,
      context_management: true,
      conversation: true,
      image: true,
      include: true,
      input: true,
      instructions: true,
      max_output_tokens: true,
      max_tool_calls: true,
      metadata: true,
      model: true,
      moderation: true,
      parallel_tool_calls: true,
      previous_response_id: true,
      prompt: true,
      prompt_cache_key: true,
      prompt_cache_options: true,
      prompt_cache_retention: true,
      reasoning: true,
      safety_identifier: true,
      service_tier: true,
      store: true,
      stream: true,
      stream_options: true,
      temperature: true,
      text: true,
      tool_choice: true,
      tools: true,
      top_logprobs: true,
      top_p: true,
      truncation: true,
      user: true,
    };
    expect(sameFields).toBe(true);
    expect([...RESPONSES_FIELDS].sort()).toStrictEqual(Object.keys(fields).sort());
    expect(takesEveryValue({ input: 'hi' })).toStrictEqual({ input: 'hi' });
  });
});

describe('what is right passes untouched', () => {
  const full: ResponseCreateParamsNonStreaming = {
    model: 'gpt-5-mini',
    instructions: 'Be brief.',
    input: [
      { role: 'user', content: 'plain' },
      { role: 'developer', content: [{ type: 'input_text', text: 'x' }] },
      {
        type: 'message',
        role: 'user',
        content: [
          { type: 'input_image', detail: 'auto', image_url: 'data:image/png;base64,iVBORw0KGgo=' },
          { type: 'input_file', file_id: 'file_1' },
        ],
      },
      { role: 'assistant', content: [{ type: 'input_text', text: 'earlier' }] },
      {
        type: 'message',
        id: 'msg_1',
        role: 'assistant',
        status: 'completed',
        content: [{ type: 'output_text', text: 'a', annotations: [], logprobs: [] }],
      },
      { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c', output: [{ type: 'input_text', text: 'r' }] },
      { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'x' },
      { type: 'item_reference', id: 'msg_2' },
      { id: 'msg_3' },
    ],
    tools: [
      { type: 'function', name: 'f', parameters: { type: 'object', properties: {} }, strict: true },
      { type: 'file_search', vector_store_ids: ['vs_1'] },
      { type: 'web_search' },
      { type: 'mcp', server_label: 's', server_url: 'https://example.com' },
    ],
    tool_choice: { type: 'function', name: 'f' },
    text: {
      format: { type: 'json_schema', name: 'n', schema: { anything: [1, null] }, strict: false },
      verbosity: 'low',
    },
    reasoning: { effort: 'low', summary: 'auto' },
    include: ['reasoning.encrypted_content'],
    metadata: { a: 'b' },
    max_output_tokens: 1,
    temperature: 0.7,
    top_p: 1,
    top_logprobs: 20,
    service_tier: 'flex',
    store: false,
    stream: false,
    user: 'u',
  };

  test('a request that uses most of the API', () => {
    const before = structuredClone(full);
    expect(parseResponsesRequest(full)).toBe(full);
    expect(full).toStrictEqual(before);
  });

  test('any JSON below the surface, as the very object that was sent', () => {
    const anything = fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 });
    const typed = (...types: string[]) =>
      fc.tuple(anything, fc.constantFrom(...types)).map(([rest, type]) => ({ ...rest, type }));
    const message = fc
      .record({
        role: fc.constantFrom('user', 'assistant', 'system', 'developer'),
        content: fc.oneof(fc.string(), fc.array(typed('input_text', 'output_text', 'refusal', 'new_kind'))),
        phase: fc.jsonValue(),
      })
      .map((fields) => ({ ...fields }));
    const body = fc.record(
      {
        input: fc.oneof(
          fc.string(),
          fc.array(fc.oneof(message, typed('function_call', 'reasoning', 'mcp_call', 'computer_call_output'))),
        ),
        tools: fc.array(typed('function', 'web_search', 'code_interpreter', 'new_tool')),
        tool_choice: fc.oneof(fc.constantFrom('auto', 'none', 'required'), typed('function', 'mcp')),
        text: fc.record({ format: typed('json_schema', 'text') }),
        reasoning: fc.oneof(anything, fc.constant(null)),
        prompt: fc.tuple(anything, fc.string()).map(([rest, id]) => ({ ...rest, id })),
        moderation: anything,
        prompt_cache_options: anything,
        context_management: fc.array(anything),
      },
      { requiredKeys: ['input'] },
    );
    fc.assert(
      fc.property(body, (request) => {
        const before = JSON.stringify(request);
        expect(parseResponsesRequest(request)).toBe(request);
        expect(JSON.stringify(request)).toBe(before);
      }),
    );
  });

  test.each([
    { previous_response_id: 'resp_1' },
    { conversation: 'conv_1' },
    { conversation: { id: 'conv_1' } },
    { prompt: { id: 'pmpt_1' } },
  ])('input may be absent beside %o', (context) => {
    expect(parseResponsesRequest(context)).toBe(context);
  });

  test('null where OpenAI takes null', () => {
    const body = { input: 'hi', temperature: null, metadata: null, reasoning: null, truncation: null, stream: null };
    expect(parseResponsesRequest(body)).toBe(body);
  });

  test('extra fields of the upstream, and only those', () => {
    const body = { input: 'hi', top_k: 40 };
    expect(parseResponsesRequest(body, { extraFields: ['top_k'] })).toBe(body);
    refuse(body, { param: 'top_k', code: 'unknown_parameter', message: "Unknown parameter: 'top_k'." });
  });
});

describe('what is wrong is refused by name', () => {
  test.each([{ body: [] }, { body: 'hi' }, { body: null }, { body: undefined }])(
    'a body that is no object: $body',
    ({ body }) => {
      refuse(body, { param: null, code: 'invalid_type', message: expect.stringContaining('the body of your request') });
    },
  );

  test.each(['constructor', 'toString', '__proto__', 'Model', ''])('the unknown field %o', (field) => {
    const body = JSON.parse(`{"input": "hi", ${JSON.stringify(field)}: 1}`) as unknown;
    refuse(body, { param: field, code: 'unknown_parameter', message: `Unknown parameter: '${field}'.` });
  });

  test('an unknown field with an endless name, in a short message', () => {
    refuse({ ['x'.repeat(1_000_000)]: 1 }, {
      param: expect.stringMatching(/^.{0,300}$/),
      code: 'unknown_parameter',
      message: expect.stringMatching(/^.{0,300}$/),
    } as never);
  });

  test.each([
    ['temperature', 'hot', "Invalid type for 'temperature': expected a number, but got a string instead."],
    ['temperature', true, "Invalid type for 'temperature': expected a number, but got a boolean instead."],
    ['max_output_tokens', 1.5, "Invalid type for 'max_output_tokens': expected an integer, but got a decimal instead."],
    ['model', null, "Invalid type for 'model': expected a string, but got null instead."],
    ['stream', 'true', "Invalid type for 'stream': expected a boolean, but got a string instead."],
    ['text', 'json', "Invalid type for 'text': expected an object, but got a string instead."],
    ['tools', {}, "Invalid type for 'tools': expected an array of objects, but got an object instead."],
    ['input', 1, "Invalid type for 'input': expected a string or an array of objects, but got an integer instead."],
    ['input', null, "Invalid type for 'input': expected a string or an array of objects, but got null instead."],
    ['conversation', [], "Invalid type for 'conversation': expected a string or an object, but got an array instead."],
    ['metadata', [], "Invalid type for 'metadata': expected an object, but got an array instead."],
    ['include', 'x', "Invalid type for 'include': expected an array, but got a string instead."],
  ])('%s: %o', (field, value, message) => {
    refuse({ input: 'hi', [field]: value }, { param: field, code: 'invalid_type', message });
  });

  test.each([
    [{ include: ['a', 1] }, 'include[1]', 'invalid_type'],
    [{ metadata: { a: 1 } }, 'metadata.a', 'invalid_type'],
    [{ prompt: {} }, 'prompt.id', 'missing_required_parameter'],
    [{ input: ['hi'] }, 'input[0]', 'invalid_type'],
    [{ input: [{}] }, 'input[0].type', 'missing_required_parameter'],
    [{ input: [{ type: 1 }] }, 'input[0].type', 'invalid_type'],
    [{ input: [{ content: 'x' }] }, 'input[0].role', 'missing_required_parameter'],
    [{ input: [{ role: 'user' }] }, 'input[0].content', 'missing_required_parameter'],
    [{ input: [{ role: 'user', content: 1 }] }, 'input[0].content', 'invalid_type'],
    [{ input: [{ role: 'user', content: ['x'] }] }, 'input[0].content[0]', 'invalid_type'],
    [{ input: [{ role: 'user', content: [{ text: 'x' }] }] }, 'input[0].content[0].type', 'missing_required_parameter'],
    [{ tools: [{ type: 'web_search' }, 1] }, 'tools[1]', 'invalid_type'],
    [{ tools: [{ name: 'f' }] }, 'tools[0].type', 'missing_required_parameter'],
  ])('inside: %o', (fields, param, code) => {
    refuse({ input: 'hi', ...fields }, { param, code });
  });

  test('an unknown role, with those there are', () => {
    refuse(
      { input: [{ role: 'robot', content: 'x' }] },
      {
        param: 'input[0].role',
        code: 'invalid_value',
        message: "Invalid value: 'robot'. Supported values are: 'assistant', 'system', 'developer', and 'user'.",
      },
    );
  });

  test.each([
    ['temperature', 2.1, 'decimal_above_max_value'],
    ['temperature', -1, 'decimal_below_min_value'],
    ['top_p', 2, 'decimal_above_max_value'],
    ['top_logprobs', 21, 'integer_above_max_value'],
    ['max_output_tokens', 0, 'integer_below_min_value'],
    ['safety_identifier', 'x'.repeat(129), 'string_above_max_length'],
    ['truncation', 'always', 'invalid_value'],
    ['service_tier', 'gold', 'invalid_value'],
    ['prompt_cache_retention', '1h', 'invalid_value'],
  ])('%s out of range: %o', (field, value, code) => {
    refuse({ input: 'hi', [field]: value }, { param: field, code });
  });

  test('a bound is said in OpenAI’s words', () => {
    expect(() => parseResponsesRequest({ input: 'hi', temperature: 3 })).toThrow(
      "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 3 instead.",
    );
    expect(() => parseResponsesRequest({ input: 'hi', truncation: 'x' })).toThrow(
      "Invalid value: 'x'. Supported values are: 'auto' and 'disabled'.",
    );
  });

  test('metadata beyond OpenAI’s bounds, counting characters and not UTF-16 units', () => {
    const pairs = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 'v']));
    const fits = { input: 'hi', metadata: { ...pairs(15), ['🙂'.repeat(64)]: '🙂'.repeat(512) } };
    expect(parseResponsesRequest(fits)).toBe(fits);
    refuse({ input: 'hi', metadata: pairs(17) }, { param: 'metadata', code: 'object_above_max_properties' });
    refuse({ input: 'hi', metadata: { ['k'.repeat(65)]: '' } }, { param: 'metadata', code: 'string_above_max_length' });
    refuse({ input: 'hi', metadata: { k: 'v'.repeat(513) } }, { param: 'metadata.k', code: 'string_above_max_length' });
  });

  test.each([{}, { model: 'm' }, { previous_response_id: null }])('no input and nothing in its place: %o', (body) => {
    refuse(body, { param: 'input', code: 'missing_required_parameter' });
  });

  test('previous_response_id together with conversation', () => {
    refuse(
      { input: 'hi', previous_response_id: 'resp_1', conversation: 'conv_1' },
      { param: 'previous_response_id', code: 'mutually_exclusive_parameters' },
    );
  });

  test('nothing that is JSON makes it throw anything but a refusal', () => {
    const field = fc.oneof(fc.constantFrom(...RESPONSES_FIELDS), fc.string());
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.dictionary(field, fc.jsonValue())), (body) => {
        try {
          expect(parseResponsesRequest(body)).toBe(body);
        } catch (error) {
          expect(error).toMatchObject({ name: 'InvalidRequestError', code: expect.any(String) });
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

test('the schema alone refuses what the parser refuses in scalars', () => {
  expect(ResponsesRequest.safeParse({ temperature: 9 }).success).toBe(false);
});
