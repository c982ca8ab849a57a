/** Structured output: what fits, what misses and where, and that no schema and no answer can harm the process. */
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { cachedSchemas, MAX_CACHED_SCHEMAS, MAX_MISSES, schemaValidator } from './schema-validator.ts';
import { answerCheck, type Checked } from './structured.ts';

const bodyWith = (schema: unknown): Record<string, unknown> => ({
  text: { format: { type: 'json_schema', name: 's', schema } },
});

async function check(schema: Record<string, unknown>, text: string, zod?: z.ZodType): Promise<Checked> {
  const check = answerCheck(bodyWith(schema), zod);
  if (typeof check !== 'function') throw new Error(`no check: ${JSON.stringify(check)}`);
  return check(text);
}

test('free text has no check', () => {
  for (const body of [
    {},
    { text: null },
    { text: { format: { type: 'text' } } },
    { text: { format: [] } },
    bodyWith(null),
  ]) {
    expect(answerCheck(body, undefined)).toBeNull();
  }
});

describe('misses', () => {
  const schema = {
    type: 'object',
    properties: {
      items: { type: 'array', items: { type: 'object', properties: { 'a/b': { type: 'integer' } } } },
      when: { type: 'string', format: 'date' },
    },
    required: ['items', 'when'],
    additionalProperties: false,
  };

  test('are told with place and problem, all of them', async () => {
    expect(await check(schema, '{"items":[{"a/b":1},{"a/b":"x"}],"when":"soon","more":1}')).toEqual({
      fits: false,
      misses: [
        { path: '', problem: "must NOT have additional properties: 'more'" },
        { path: 'items.1.a/b', problem: 'must be integer' },
        { path: 'when', problem: 'must match format "date"' },
      ],
    });
    expect(await check(schema, '{"items":[]}')).toEqual({
      fits: false,
      misses: [{ path: '', problem: "must have required property 'when'" }],
    });
  });

  test('are bounded in number and in size', async () => {
    const many = await check({ type: 'array', items: { type: 'integer' } }, JSON.stringify(Array(5000).fill('x')));
    expect(many.fits === false && many.misses.length).toBe(MAX_MISSES);
    const huge = await check(
      { type: 'array', items: { type: 'integer' } },
      JSON.stringify(Array(300_000).fill('xxxx')),
    );
    expect(huge.fits === false && huge.misses.length).toBe(1);
    const long = await check({ additionalProperties: false }, JSON.stringify({ ['k'.repeat(1_000_000)]: 1 }));
    expect(JSON.stringify(long).length).toBeLessThan(1000);
    const tree = { properties: { ['k'.repeat(90)]: { $ref: '#' } }, type: 'object' };
    const deep = await check(tree, `${`{"${'k'.repeat(90)}":`.repeat(50)}1${'}'.repeat(50)}`);
    expect(JSON.stringify(deep).length).toBeLessThan(1000);
    const zod = await check({}, JSON.stringify(Array(5000).fill('x')), z.array(z.number()));
    expect(zod.fits === false && zod.misses.length).toBe(MAX_MISSES);
  });

  test.each([
    ['empty', ''],
    ['prose', 'Sure!'],
    ['fenced', '```json\n{}\n```'],
    ['cut', '{"a":'],
    ['nested without end', '['.repeat(1_000_000)],
    ['nested deeply and closed', `${'['.repeat(10_000)}${']'.repeat(10_000)}`],
    ['a poisoned key', '{"__proto__":{"x":1}}'],
  ])('%s is a miss, not a crash', async (_, text) => {
    expect(await check({}, text)).toMatchObject({ fits: false, misses: [{ path: '', problem: expect.any(String) }] });
    expect(await check({}, text, z.any())).toMatchObject({ fits: false });
  });
});

describe('zod', () => {
  test('gives its own output, and its own places', async () => {
    const zod = z.object({ lines: z.array(z.object({ net: z.coerce.number() })) });
    expect(await check({}, '{"lines":[{"net":"3"}]}', zod)).toEqual({ fits: true, value: { lines: [{ net: 3 }] } });
    expect(await check({}, '{"lines":[{"net":"x"}]}', zod)).toMatchObject({
      fits: false,
      misses: [{ path: 'lines.0.net' }],
    });
  });

  test('may check asynchronously, and may throw', async () => {
    const later = z.number().refine(async (n) => n > 1, 'too small');
    expect(await check({}, '1', later)).toEqual({ fits: false, misses: [{ path: '', problem: 'too small' }] });
    expect(await check({}, '2', later)).toEqual({ fits: true, value: 2 });
    const broken = z.number().refine(() => {
      throw new Error('a bug');
    });
    expect(await check({}, '2', broken)).toMatchObject({ fits: false, misses: [{ problem: /a bug/ }] });
  });

  test('spares a schema that Ajv would refuse', () => {
    expect(answerCheck(bodyWith({ type: 'strng' }), z.any())).toBeTypeOf('function');
  });
});

describe('schemas', () => {
  test.each([
    ['an unknown type', { type: 'strng' }],
    ['a keyword of the wrong kind', { required: 'x' }],
    ['a reference to nowhere', { $ref: '#/$defs/none' }],
    ['a reference to the network', { $ref: 'https://example.invalid/s' }],
    ['a broken pattern', { pattern: '(' }],
    ['an id that is none', { $id: 5 }],
  ])('%s is a fault, told in words', (_, schema) => {
    expect(schemaValidator(schema)).toEqual({ fault: expect.stringMatching(/\S/) });
  });

  test('of other drafts, with ids and foreign keywords, do compile', async () => {
    for (const extra of [
      { $schema: 'http://json-schema.org/draft-07/schema#' },
      { $id: 'https://example.invalid/same' },
      { $id: 'https://example.invalid/same', title: 'another with the same id' },
      { $id: 'https://json-schema.org/draft/2020-12/schema' },
      { $async: true },
      { 'x-vendor': 1, format: 'of-nobody' },
      { definitions: { n: { type: 'number' } }, properties: { a: { $ref: '#/definitions/n' } } },
    ]) {
      expect(await check({ type: 'object', ...extra }, '{"a":1}')).toEqual({ fits: true, value: { a: 1 } });
    }
  });

  test('that refer to themselves are followed as deep as answers may be', async () => {
    const tree = { $ref: '#/$defs/n', $defs: { n: { type: 'array', items: { $ref: '#/$defs/n' } } } };
    expect(await check(tree, `${'['.repeat(60)}${']'.repeat(60)}`)).toMatchObject({ fits: true });
  });

  test('are compiled once for the same content, and never more are kept than the bound', () => {
    const schema = (index: number): Record<string, unknown> => ({ type: 'object', title: `number ${index}` });
    const first = schemaValidator(schema(0));
    expect(schemaValidator(schema(0))).toBe(first);
    for (let index = 1; index <= MAX_CACHED_SCHEMAS; index++) schemaValidator(schema(index));
    expect(cachedSchemas()).toBe(MAX_CACHED_SCHEMAS);
    // The one not asked for the longest went; the newest stayed.
    expect(schemaValidator(schema(MAX_CACHED_SCHEMAS))).toBe(schemaValidator(schema(MAX_CACHED_SCHEMAS)));
    expect(schemaValidator(schema(0))).not.toBe(first);
  });
});
