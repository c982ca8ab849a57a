/** Many records of a schema: strict mode takes it wherever it takes one, and references lead where they led. */
import { expect, test } from 'vitest';
import * as z from 'zod';
import { extractRequest, schemaOf } from './extract-request.ts';
import { manySchema, manySchemaProblem, manyZod } from './many-records.ts';
import { checkStrictSchema } from './strict-schema.ts';

type Schema = Record<string, unknown>;
const object = (properties: Schema, more: Schema = {}): Schema => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
  ...more,
});
const text = { type: 'string' };
const listOf = (items: unknown): Schema => object({ records: { type: 'array', items } });

test('the schema of one becomes the items of a list, once for each schema', () => {
  const record = object({ total: { type: 'number' } }, { $schema: 's', $id: 'i' });
  expect(manySchema(record)).toEqual(listOf(object({ total: { type: 'number' } })));
  expect(manySchema(record)).toBe(manySchema(record));
});

test('definitions move to the root, where references to them lead', () => {
  const line = object({ name: text });
  const $defs = { line, record: text };
  const record = object({
    lines: { type: 'array', items: { $ref: '#/$defs/line' } },
    old: { $ref: '#/definitions/a' },
  });
  const many = manySchema({ ...record, $defs, definitions: { a: text } });
  expect(many).toEqual({ ...listOf(record), $defs, definitions: { a: text } });
  expect(checkStrictSchema(many)).toBeNull();
});

test('a record that refers to itself, or into itself, becomes a definition of a name that is free', () => {
  const tree = object(
    {
      name: text,
      parts: { anyOf: [{ type: 'array', items: { $ref: '#' } }, { type: 'null' }] },
      alias: { $ref: '#/properties/name' },
      kind: { $ref: '#/$defs/record' },
    },
    { $defs: { record: { type: 'string', enum: ['#'] } } },
  );
  expect(checkStrictSchema(tree)).toBeNull();
  const many = manySchema(tree) as { $defs: Schema; properties: Schema };
  expect(many.properties).toEqual({ records: { type: 'array', items: { $ref: '#/$defs/record_' } } });
  expect(many.$defs['record']).toEqual({ type: 'string', enum: ['#'] });
  expect(many.$defs['record_']).toMatchObject({
    properties: {
      parts: { anyOf: [{ items: { $ref: '#/$defs/record_' } }, {}] },
      alias: { $ref: '#/$defs/record_/properties/name' },
      kind: { $ref: '#/$defs/record' },
    },
  });
  expect(checkStrictSchema(many)).toBeNull();
});

test('what is two levels too deep is refused with the record’s own path', () => {
  let schema = object({ leaf: text });
  for (let level = 1; level < 8; level++) schema = object({ inner: schema });
  expect(manySchemaProblem(schema)).toBeNull();
  const deeper = object({ inner: schema });
  expect(checkStrictSchema(deeper)).toBeNull();
  expect(manySchemaProblem(deeper)).toEqual({
    path: Array(8).fill('properties.inner').join('.'),
    problem: expect.stringMatching(/more than 10 levels deep, as one of many records/),
  });
});

test('zod checks each record, with places in the list', () => {
  const zod = manyZod(z.object({ total: z.number().refine((total) => total > 0, 'is not above 0') }));
  const result = zod.safeParse({ records: [{ total: 1 }, { total: 0 }] });
  expect(result.error?.issues).toMatchObject([{ path: ['records', 1, 'total'], message: 'is not above 0' }]);
});

test('the request says that all are wanted, and asks for the list', () => {
  const schema = { name: 'invoice', schema: object({ total: { type: 'number' } }) };
  const body = { document: 'd', schema, many: true };
  const asked = schemaOf(body, {});
  expect(asked).toEqual({ name: 'invoice', schema: manySchema(schema.schema) });
  expect(extractRequest(body, asked as typeof schema).instructions).toMatch(/^Extract every record .* Use only what/);
  expect(schemaOf({ document: 'd', schema }, {})).toBe(schema);
});
