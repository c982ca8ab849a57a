import { describe, expect, test } from 'vitest';
import { isObject, type JsonObject } from '../json.ts';
import { RefusedRequest } from './refused.ts';
import { parseBody, readCreateRequest } from './validate.ts';

/** The error body of a request that is sound but for `changes`; a field changed to undefined is left out. */
function refusal(changes: JsonObject, background = true) {
  const fields = Object.entries({ model: 'gpt-5', input: 'Hello', ...changes });
  const body = Object.fromEntries(fields.filter(([, value]) => value !== undefined));
  try {
    readCreateRequest(body, { background });
  } catch (error) {
    if (error instanceof RefusedRequest) return { status: error.status, ...error.body.error };
    throw error;
  }
  return undefined;
}

function schemaFormat(schema: JsonObject, strict = true) {
  return { text: { format: { type: 'json_schema', name: 'thing', strict, schema } } };
}

const REFUSED: [what: string, body: JsonObject, param: string, code: string | null, message: string][] = [
  ['no model', { model: undefined }, 'model', 'missing_required_parameter', "'model'"],
  ['no input', { input: undefined }, 'input', 'missing_required_parameter', "'input'"],
  ['an unknown field', { messages: [] }, 'messages', 'unknown_parameter', "Unknown parameter: 'messages'."],
  ['a model that is no string', { model: 5 }, 'model', 'invalid_type', 'expected a string, but got an integer'],
  ['an input of the wrong type', { input: 5 }, 'input', 'invalid_type', 'string or array'],
  ['an input item that is no object', { input: ['x'] }, 'input[0]', 'invalid_type', 'an input item'],
  ['a role nobody has', { input: [{ role: 'bot', content: 'x' }] }, 'input[0].role', 'invalid_value', "'bot'"],
  [
    'a content part of Chat Completions',
    { input: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }] },
    'input[0].content[0].type',
    'invalid_value',
    "'text'",
  ],
  [
    'an image address in an object',
    { input: [{ role: 'user', content: [{ type: 'input_image', image_url: { url: 'x' } }] }] },
    'input[0].content[0].image_url',
    'invalid_type',
    'expected a string',
  ],
  ['a temperature beyond 2', { temperature: 3 }, 'temperature', 'decimal_above_max_value', '<= 2'],
  ['fewer than 16 output tokens', { max_output_tokens: 1 }, 'max_output_tokens', 'integer_below_min_value', '>= 16'],
  ['half a token', { max_output_tokens: 16.5 }, 'max_output_tokens', 'invalid_type', 'an integer'],
  ['metadata that is no string', { metadata: { a: 1 } }, 'metadata.a', 'invalid_type', 'a string'],
  [
    'too much metadata',
    { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`k${index}`, 'v'])) },
    'metadata',
    'object_above_max_properties',
    '16',
  ],
  [
    'json_object without the word json',
    { text: { format: { type: 'json_object' } } },
    'input',
    null,
    "must contain the word 'json'",
  ],
  [
    'a format without a name',
    { text: { format: { type: 'json_schema', schema: {} } } },
    'text.format.name',
    'missing_required_parameter',
    'text.format.name',
  ],
  [
    'a strict schema that allows more',
    schemaFormat({ type: 'object', properties: {}, required: [] }),
    'text.format.schema',
    'invalid_json_schema',
    "In context=(), 'additionalProperties' is required to be supplied and to be false.",
  ],
  [
    'a strict schema with an optional property',
    schemaFormat({
      type: 'object',
      properties: {
        a: { type: 'object', properties: { b: { type: 'string' } }, required: [], additionalProperties: false },
      },
      required: ['a'],
      additionalProperties: false,
    }),
    'text.format.schema',
    'invalid_json_schema',
    "In context=('properties', 'a'), 'required' is required to be supplied and to be an array including every key in properties. Missing 'b'.",
  ],
  [
    'a strict schema whose root is no object',
    schemaFormat({ type: 'array', items: { type: 'string' } }),
    'text.format.schema',
    'invalid_json_schema',
    'type: "object"',
  ],
  [
    'a strict schema with a keyword it does not take',
    schemaFormat({
      type: 'object',
      properties: { a: { allOf: [{ type: 'string' }] } },
      required: ['a'],
      additionalProperties: false,
    }),
    'text.format.schema',
    'invalid_json_schema',
    "'allOf' is not permitted",
  ],
  [
    'a strict function whose parameters are not',
    { tools: [{ type: 'function', name: 'f', strict: true, parameters: { type: 'object', properties: {} } }] },
    'tools[0].parameters',
    'invalid_function_parameters',
    'additionalProperties',
  ],
  ['a background call that is not stored', { background: true, store: false }, 'store', 'invalid_value', 'store'],
];

describe('what OpenAI refuses is refused, with the parameter named', () => {
  test.each(REFUSED)('%s', (_what, changes, param, code, message) => {
    const error = refusal(changes);
    expect(error).toMatchObject({ status: 400, type: 'invalid_request_error', param, code });
    expect(error?.message).toContain(message);
  });
});

test('a server without background mode names the parameter', () => {
  expect(refusal({ background: true }, false)).toMatchObject({ status: 400, param: 'background' });
  expect(refusal({ background: true }, true)).toBeUndefined();
});

test('what OpenAI takes is taken: a loose schema, a recursive strict one, nulls, a prompt template', () => {
  const node = {
    type: 'object',
    properties: { next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } },
    required: ['next'],
    additionalProperties: false,
  };
  const root = {
    type: 'object',
    properties: { head: { $ref: '#/$defs/node' } },
    required: ['head'],
    additionalProperties: false,
    $defs: { node },
  };
  expect(refusal(schemaFormat({ type: 'object', properties: { a: {} } }, false))).toBeUndefined();
  expect(refusal(schemaFormat(root))).toBeUndefined();
  expect(refusal({ temperature: null, instructions: null, max_output_tokens: null })).toBeUndefined();
  expect(() => readCreateRequest({ prompt: { id: 'pmpt_1' } }, { background: true })).not.toThrow();
});

test('a body that is no JSON object is refused', () => {
  expect(() => parseBody('{"a":')).toThrow('could not parse the JSON body');
  expect(() => parseBody('[]')).toThrow('must be a JSON object');
  expect(isObject(parseBody('{}'))).toBe(true);
});

test('a field named __proto__ is unknown like any other', () => {
  const body = parseBody('{"model":"gpt-5","input":"x","__proto__":{"stream":true}}');
  expect(() => readCreateRequest(body, { background: true })).toThrow("Unknown parameter: '__proto__'.");
});
