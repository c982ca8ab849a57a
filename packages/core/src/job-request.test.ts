import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJobRequest } from './job-request.ts';
import { RESPONSES_FIELDS } from './responses-request.ts';

const schema = {
  type: 'object',
  properties: { total: { type: 'number' } },
  required: ['total'],
  additionalProperties: false,
};
const generate = { type: 'generate', request: { input: 'hi' } };
const extract = { type: 'extract', document: 'Total: 3', schema: 'invoice' };

const refuse = (body: unknown, param: string | null, code: string, message: unknown = expect.any(String)) =>
  expect(() => parseJobRequest(body)).toThrow(expect.objectContaining({ param, code, message }));

describe('a right job passes as the very object that was sent', () => {
  const options = {
    queue: 'bulk',
    priority: 0,
    delay_seconds: 0.5,
    deadline: '2027-01-31T18:00:00.25+02:00',
    webhook_url: 'https://example.com/hook?a=b',
    metadata: { a: 'b' },
    idempotency_key: 'k'.repeat(255),
  };

  test.each([
    generate,
    extract,
    { ...generate, ...options },
    { ...extract, ...options, instructions: 'Euros only.', model: 'm', max_output_tokens: 10 },
    { ...extract, schema: { name: 'invoice', schema } },
    { ...extract, images: ['https://example.com/a.png', 'data:image/png;base64,iVBORw0KGgo='] },
    { type: 'extract', images: ['https://example.com/a.png'], schema: 'invoice' },
    { ...generate, webhook_url: 'http://127.0.0.1:8080' },
    { ...generate, request: { input: 'hi', store: true, stream: false, background: null } },
  ])('%o', (job) => {
    const before = JSON.stringify(job);
    expect(parseJobRequest(job)).toBe(job);
    expect(JSON.stringify(job)).toBe(before);
  });

  test('the upstream’s extra fields count inside the request, nowhere else', () => {
    const job = { type: 'generate', request: { input: 'hi', top_k: 1 } };
    expect(parseJobRequest(job, { extraFields: ['top_k'] })).toBe(job);
    refuse(job, 'request.top_k', 'unknown_parameter');
    expect(() => parseJobRequest({ ...generate, top_k: 1 }, { extraFields: ['top_k'] })).toThrow(
      "Unknown parameter: 'top_k'.",
    );
  });
});

describe('a wrong job is refused by name', () => {
  test('what it is', () => {
    refuse([], null, 'invalid_type');
    refuse({}, 'type', 'missing_required_parameter');
    refuse(
      { type: 'chat' },
      'type',
      'invalid_value',
      "Invalid value: 'chat'. Supported values are: 'generate' and 'extract'.",
    );
    refuse({ type: {} }, 'type', 'invalid_value');
    refuse({ type: 'constructor' }, 'type', 'invalid_value');
  });

  test('what it lacks', () => {
    refuse({ type: 'generate' }, 'request', 'missing_required_parameter');
    refuse({ type: 'extract', schema: 'invoice' }, 'document', 'missing_required_parameter');
    refuse({ type: 'extract', document: 'x' }, 'schema', 'missing_required_parameter');
    refuse({ ...extract, schema: { name: 'invoice' } }, 'schema.schema', 'missing_required_parameter');
    refuse({ ...extract, schema: { schema } }, 'schema.name', 'missing_required_parameter');
    refuse({ ...generate, request: {} }, 'request.input', 'missing_required_parameter');
  });

  test('what it has too much', () => {
    refuse({ ...generate, que: 'x' }, 'que', 'unknown_parameter', "Unknown parameter: 'que'.");
    refuse({ ...generate, document: 'x' }, 'document', 'unknown_parameter');
    refuse({ ...extract, request: {} }, 'request', 'unknown_parameter');
    refuse(
      { type: 'generate', input: 'hi' },
      'input',
      'unknown_parameter',
      "Unknown parameter: 'input'. In a generate job it belongs inside 'request'.",
    );
    refuse(
      { ...extract, schema },
      'schema.type',
      'unknown_parameter',
      'Unknown parameter: \'schema.type\'. \'schema\' is the name of a configured schema or {"name": "…", "schema": {…}}.',
    );
  });

  test('an extraction of nothing, and images that cannot be taken', () => {
    const both = expect.stringContaining("'document' (text), 'images' (URLs or data URIs), or both");
    refuse({ type: 'extract', schema: 'invoice' }, 'document', 'missing_required_parameter', both);
    refuse({ ...extract, document: '' }, 'document', 'string_below_min_length');
    refuse({ ...extract, images: [] }, 'images', 'empty_array');
    refuse({ ...extract, images: 'https://example.com/a.png' }, 'images', 'invalid_type');
    refuse({ ...extract, images: ['https://example.com/a.png', {}] }, 'images[1]', 'invalid_type');
    refuse({ ...extract, images: ['https://example.com/a.png', 'http://10.0.0.1/'] }, 'images[1]', 'invalid_image_url');
    refuse({ ...extract, images: ['data:image/png;base64,AAAA'] }, 'images[0]', 'invalid_image_format');
    refuse({ ...generate, images: [] }, 'images', 'unknown_parameter');
  });

  test.each([
    ['queue', 1, 'invalid_type'],
    ['queue', '', 'string_below_min_length'],
    ['priority', 10, 'integer_above_max_value'],
    ['priority', -1, 'integer_below_min_value'],
    ['priority', 1.5, 'invalid_type'],
    ['priority', '5', 'invalid_type'],
    ['delay_seconds', -1, 'decimal_below_min_value'],
    ['delay_seconds', 86_400_000, 'decimal_above_max_value'],
    ['deadline', 1_700_000_000, 'invalid_type'],
    ['deadline', '2027-01-31', 'invalid_value'],
    ['deadline', '2027-01-31T18:00:00', 'invalid_value'],
    ['deadline', '2027-02-30T18:00:00Z', 'invalid_value'],
    ['webhook_url', 'example.com/hook', 'invalid_value'],
    ['webhook_url', 'ftp://example.com', 'invalid_value'],
    ['webhook_url', 'javascript:alert(1)', 'invalid_value'],
    ['webhook_url', ' https://example.com', 'invalid_value'],
    ['webhook_url', 'https://exam\nple.com', 'invalid_value'],
    ['webhook_url', {}, 'invalid_type'],
    ['webhook_url', `https://example.com/${'a'.repeat(2_048)}`, 'string_above_max_length'],
    ['metadata', 'x', 'invalid_type'],
    ['metadata', Object.fromEntries(Array.from({ length: 17 }, (_, i) => [i, ''])), 'object_above_max_properties'],
    ['idempotency_key', '', 'string_below_min_length'],
    ['idempotency_key', 'k'.repeat(256), 'string_above_max_length'],
  ])('%s: %o', (field, value, code) => {
    refuse({ ...generate, [field]: value }, field, code);
    refuse({ ...extract, [field]: value }, field, code);
  });

  test.each([
    ['document', '', 'string_below_min_length'],
    ['document', ['x'], 'invalid_type'],
    ['schema', 1, 'invalid_type'],
    ['schema', 'no such name!', 'invalid_value'],
    ['schema', 'n'.repeat(65), 'invalid_value'],
    ['instructions', null, 'invalid_type'],
    ['model', '', 'string_below_min_length'],
    ['max_output_tokens', 0, 'integer_below_min_value'],
  ])('%s of an extraction: %o', (field, value, code) => {
    refuse({ ...extract, [field]: value }, field, code);
  });

  test('a deadline and a webhook say what would be right', () => {
    refuse(
      { ...generate, deadline: 'tomorrow' },
      'deadline',
      'invalid_value',
      "Invalid value: 'tomorrow'. Expected an RFC 3339 time with an offset, like '2027-01-31T18:00:00Z'.",
    );
    refuse(
      { ...generate, webhook_url: 'me' },
      'webhook_url',
      'invalid_value',
      "Invalid value: 'me'. Expected an http or https URL.",
    );
  });

  test('a fault inside the request, with its whole path', () => {
    refuse({ ...generate, request: 'hi' }, 'request', 'invalid_type');
    refuse({ ...generate, request: { input: 'hi', temperature: 3 } }, 'request.temperature', 'decimal_above_max_value');
    refuse(
      { ...generate, request: { input: [{ role: 'user' }] } },
      'request.input[0].content',
      'missing_required_parameter',
    );
    refuse({ ...generate, request: { input: 'hi', metadata: { a: 1 } } }, 'request.metadata.a', 'invalid_type');
    refuse(
      { ...generate, request: { messages: [] } },
      'request.messages',
      'unknown_parameter',
      "Unknown parameter: 'request.messages'. The Responses API calls this 'input'.",
    );
  });

  test.each(['stream', 'background'])('%s: true in a request, which a job cannot honour', (field) => {
    refuse(
      { ...generate, request: { input: 'hi', [field]: true } },
      `request.${field}`,
      'unsupported_value',
      expect.stringMatching(/always runs in the background; read its result and events from the job/),
    );
  });

  test('a schema that strict mode would refuse, with the path', () => {
    const loose = { ...schema, properties: { total: { type: 'object', properties: {} } } };
    refuse(
      { ...extract, schema: { name: 'invoice', schema: loose } },
      'schema.schema.properties.total',
      'invalid_json_schema',
      "Invalid schema 'invoice': 'properties.total' needs \"additionalProperties\": false.",
    );
    refuse({ ...extract, schema: { name: 'invoice', schema: {} } }, 'schema.schema', 'invalid_json_schema');
    refuse({ ...extract, schema: { name: 'in voice', schema } }, 'schema.name', 'invalid_value');
  });

  test('nothing that is JSON makes it throw anything but a refusal', () => {
    const field = fc.constantFrom(...RESPONSES_FIELDS, 'queue', 'deadline', 'webhook_url', 'schema', 'document');
    const job = fc
      .tuple(fc.constantFrom('generate', 'extract'), fc.dictionary(field, fc.jsonValue()), fc.jsonValue())
      .map(([type, fields, request]) => ({ ...fields, type, request }));
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), job), (body) => {
        try {
          expect(parseJobRequest(body)).toBe(body);
        } catch (error) {
          expect(error).toMatchObject({ name: 'InvalidRequestError', code: expect.any(String) });
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
