import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { checkStrictSchema, SCHEMA_NAME_PATTERN } from './strict-schema.ts';
import { STRICT_FORMATS } from './strict-schema-keywords.ts';

type Schema = Record<string, unknown>;

const object = (properties: Schema, more: Schema = {}): Schema => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
  ...more,
});
/** A root with one property `x` of this schema. */
const holding = (x: unknown, more: Schema = {}) => object({ x }, more);
const text = { type: 'string' };
const words = (count: number, length: number) =>
  Array.from({ length: count }, (_, index) => String(index).padStart(length, '0'));

/** Objects within objects: `levels` of them. */
function tower(levels: number): Schema {
  let schema: Schema = object({ leaf: text });
  for (let level = 1; level < levels; level++) schema = object({ inner: schema });
  return schema;
}

const endedRecursion = holding(
  { $ref: '#/$defs/a' },
  {
    $defs: {
      a: object({
        next: { anyOf: [{ $ref: '#/$defs/a' }, { type: 'string', enum: ['end'] }] },
        self: { $ref: '#/$defs/b' },
      }),
      b: object({ b: { $ref: '#/$defs/b' } }, { type: ['object', 'null'] }),
    },
  },
);

describe('what strict mode takes passes', () => {
  test.each([
    ['plain types', object({ a: text, b: { type: 'integer' }, c: { type: ['boolean', 'null'] }, d: { type: 'null' } })],
    ['an empty object', object({})],
    ['an empty object without required', { type: 'object', properties: {}, additionalProperties: false }],
    ['lists of objects', holding({ type: 'array', items: object({ y: text }), minItems: 1, maxItems: 3 })],
    ['a nullable object', holding(object({ y: text }, { type: ['object', 'null'] }))],
    ['alternatives', holding({ anyOf: [object({ y: text }), { type: 'null' }] })],
    ['enum and const', object({ a: { type: 'string', enum: ['b', 'c'] }, d: { type: 'string', const: 'e' } })],
    [
      'bounds',
      object({
        a: { type: 'number', minimum: 0, exclusiveMaximum: 1, multipleOf: 0.5 },
        b: { ...text, pattern: '^a$' },
      }),
    ],
    [
      'annotations',
      holding({ ...text, title: 't', description: 'd', default: 'x', examples: ['y'] }, { $schema: 's', $id: 'i' }),
    ],
    ['definitions', holding({ $ref: '#/$defs/y' }, { $defs: { y: object({ z: text }) } })],
    ['definitions by their old name', holding({ $ref: '#/definitions/y' }, { definitions: { y: text } })],
    ['recursion through the root', holding({ type: 'array', items: { $ref: '#' } })],
    [
      'recursion through a definition',
      holding(
        { $ref: '#/$defs/node' },
        { $defs: { node: object({ next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } }) } },
      ),
    ],
    [
      'recursion through each other, with lists between',
      holding(
        { $ref: '#/$defs/a' },
        {
          $defs: {
            a: object({ bs: { type: 'array', items: { $ref: '#/$defs/b' } } }),
            b: object({ a: { $ref: '#/$defs/a' } }),
          },
        },
      ),
    ],
    ['recursion that an enum or a nullable type ends', endedRecursion],
    ['escapes in a reference', holding({ $ref: '#/$defs/a~1b%20~0c' }, { $defs: { 'a/b ~c': text } })],
    ['properties that are called like keywords', object({ oneOf: text, $ref: text, type: text, constructor: text })],
    ['ten levels', tower(10)],
  ])('%s', (_, schema) => {
    expect(checkStrictSchema(schema)).toBeNull();
  });

  test.each([...STRICT_FORMATS])('the format %s', (format) => {
    expect(checkStrictSchema(holding({ type: 'string', format }))).toBeNull();
  });

  test('what zod makes of an ordinary object', () => {
    const zod = z.object({
      name: z.string().describe('as printed'),
      at: z.iso.datetime(),
      kind: z.enum(['a', 'b']).nullable(),
      lines: z.array(z.object({ price: z.number().min(0), count: z.int() })),
      either: z.union([z.literal('x'), z.number()]),
    });
    expect(checkStrictSchema(z.toJSONSchema(zod))).toBeNull();
  });
});

describe('what strict mode refuses is named with its path', () => {
  test.each([
    ['no schema', 'x', '', /must be a JSON schema object/],
    ['a boolean', true, '', /must be a JSON schema object/],
    ['a list at the root', { type: 'array', items: text }, '', /"type": "object" at its root/],
    ['a nullable root', { ...object({}), type: ['object', 'null'] }, '', /"type": "object" at its root/],
    ['a reference at the root', { $ref: '#/$defs/a', $defs: { a: object({}) } }, '', /"type": "object" at its root/],
    ['alternatives at the root', { ...object({}), anyOf: [object({})] }, '', /'anyOf' at its root/],
    ['an open object', { ...object({}), additionalProperties: true }, '', /needs "additionalProperties": false/],
    [
      'an object that says nothing of it',
      { type: 'object', properties: {} },
      '',
      /needs "additionalProperties": false/,
    ],
    ['an optional property', object({ a: text }, { required: [] }), '', /must list 'a' in 'required'/],
    ['no required', object({ a: text }, { required: undefined }), '', /'required' must be an array/],
    [
      'a required stranger',
      object({ a: text }, { required: ['a', 'b'] }),
      '',
      /'b' in 'required' but not in 'properties'/,
    ],
    ['a required stranger of Object', object({}, { required: ['toString'] }), '', /'toString' in 'required'/],
    ['a required number', object({}, { required: [1] }), '', /'required' must list names/],
    ['no properties', { type: 'object', additionalProperties: false }, '', /without 'properties'/],
    ['no type', holding({}), 'properties.x', /needs a 'type'/],
    ['a const without type', holding({ const: 'x' }), 'properties.x', /needs a 'type'/],
    ['an unknown type', holding({ type: 'text' }), 'properties.x', /'type' must be one or more of/],
    ['no types', holding({ type: [] }), 'properties.x', /'type' must be one or more of/],
    ['a boolean schema', holding(true), 'properties.x', /must be a schema object/],
    ['a list without items', holding({ type: 'array' }), 'properties.x', /array without 'items'/],
    ['a tuple', holding({ type: 'array', items: [text] }), 'properties.x', /must be one schema/],
    ['no alternative', holding({ anyOf: [] }), 'properties.x', /'anyOf' must be a non-empty array/],
    ['an empty enum', holding({ ...text, enum: [] }), 'properties.x', /empty 'enum'/],
    ['a wrong bound', holding({ type: 'number', minimum: '0' }), 'properties.x', /'minimum' must be a number/],
    ['a format it does not know', holding({ ...text, format: 'uri' }), 'properties.x', /the format 'uri'/],
    ['oneOf, with what to use', holding({ oneOf: [text] }), 'properties.x', /'oneOf'.*: use 'anyOf'/],
    [
      'nullable, with what to use',
      holding({ ...text, nullable: true }),
      'properties.x',
      /'nullable'.*: use "type": \["…", "null"\]/,
    ],
    ['$schema inside', holding({ ...text, $schema: 's' }), 'properties.x', /'\$schema'/],
    ['a reference to nowhere', holding({ $ref: '#/$defs/a' }), 'properties.x', /leads to nothing/],
    ['a reference to Object', holding({ $ref: '#/constructor' }), 'properties.x', /leads to nothing/],
    ['a reference to a name', holding({ $ref: '#/required/0' }), 'properties.x', /leads to nothing/],
    ['a reference by anchor', holding({ $ref: '#a' }), 'properties.x', /leads to nothing/],
    ['a malformed reference', holding({ $ref: '#/%' }), 'properties.x', /leads to nothing/],
    ['a reference outside', holding({ $ref: 'https://example.com/s' }), 'properties.x', /must stay inside/],
    ['a reference that is none', holding({ $ref: 1 }), 'properties.x', /'\$ref' must be a string/],
    [
      'a reference with company',
      holding({ $ref: '#', description: 'd' }),
      'properties.x',
      /'description' beside '\$ref'/,
    ],
    ['a reference to itself', holding({ $ref: '#/properties/x' }), 'properties.x', /round in a circle/],
    [
      'references to each other',
      object({}, { $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } }),
      '$defs.a',
      /round in a circle/,
    ],
    [
      'alternatives of which one is the whole again',
      holding({ $ref: '#/$defs/a' }, { $defs: { a: { anyOf: [text, { $ref: '#/$defs/a' }] } } }),
      '$defs.a.anyOf[1]',
      /round in a circle/,
    ],
    ['a property that is the whole again', holding({ $ref: '#' }), 'properties.x', /no value that ends/],
    [
      'a list that is never empty',
      holding({ type: 'array', items: { $ref: '#' }, minItems: 1 }),
      'properties.x.items',
      /no value that ends/,
    ],
    [
      'two that need each other',
      holding(
        { $ref: '#/$defs/a' },
        { $defs: { a: object({ b: { $ref: '#/$defs/b' } }), b: object({ a: { $ref: '#/$defs/a' }, c: text }) } },
      ),
      '$defs.b.properties.a',
      /no value that ends/,
    ],
    ['a reference to the map of properties', holding({ $ref: '#/properties' }), 'properties.x', /that is no schema/],
    [
      'a reference to an example',
      holding(
        { $ref: '#/properties/y/examples/0' },
        {
          properties: { x: { $ref: '#/properties/y/examples/0' }, y: { ...text, examples: [{ type: 'string' }] } },
          required: ['x', 'y'],
        },
      ),
      'properties.x',
      /that is no schema/,
    ],
  ])('%s', (_, schema, path, problem) => {
    expect(checkStrictSchema(schema)).toStrictEqual({ path, problem: expect.stringMatching(problem) });
  });

  test.each([
    'allOf',
    'not',
    'if',
    'then',
    'else',
    'dependentRequired',
    'dependentSchemas',
    'dependencies',
    'patternProperties',
    'propertyNames',
    'minProperties',
    'maxProperties',
    'unevaluatedProperties',
    'unevaluatedItems',
    'additionalItems',
    'prefixItems',
    'contains',
    'minContains',
    'maxContains',
    'uniqueItems',
    'contentEncoding',
    'contentMediaType',
    '$anchor',
    '$dynamicRef',
    'constructor',
    'madeUp',
  ])('the keyword %s', (keyword) => {
    expect(checkStrictSchema(holding({ ...text, [keyword]: {} }))).toStrictEqual({
      path: 'properties.x',
      problem: expect.stringContaining(`uses '${keyword}', which strict mode does not support`),
    });
  });

  test.each([
    ['properties.items.items.properties.price', object({ items: { type: 'array', items: object({ price: {} }) } })],
    ['properties.x.anyOf[1].properties.y', holding({ anyOf: [text, object({ y: {} })] })],
    ['$defs.a.items', object({}, { $defs: { a: { type: 'array', items: {} } } })],
    ['definitions.a', object({}, { definitions: { a: {} } })],
  ])('the path %s', (path, schema) => {
    expect(checkStrictSchema(schema)).toStrictEqual({ path, problem: "needs a 'type'" });
  });
});

describe('the documented limits', () => {
  const lists = (levels: number) => {
    let schema: Schema = text;
    for (let level = 0; level < levels; level++) schema = { type: 'array', items: schema };
    return schema;
  };
  const named = (names: string[]) => object(Object.fromEntries(names.map((name) => [name, text])));

  test('10 levels of objects and lists', () => {
    expect(checkStrictSchema(tower(11))).toMatchObject({ problem: 'is nested more than 10 levels deep' });
    expect(checkStrictSchema(holding(lists(9)))).toBeNull();
    expect(checkStrictSchema(holding(lists(10)))).toMatchObject({ path: `properties.x${'.items'.repeat(9)}` });
    expect(checkStrictSchema(holding({ anyOf: [lists(9)] }))).toBeNull();
  });

  test('5,000 properties', () => {
    expect(checkStrictSchema(named(words(5_000, 1)))).toBeNull();
    expect(checkStrictSchema(named(words(5_001, 1)))).toMatchObject({
      problem: expect.stringContaining('5000 properties'),
    });
  });

  test('1,000 enum values in all', () => {
    const two = (count: number) =>
      object({ a: { ...text, enum: words(500, 1) }, b: { ...text, enum: words(count, 1) } });
    expect(checkStrictSchema(two(500))).toBeNull();
    expect(checkStrictSchema(two(501))).toMatchObject({
      path: 'properties.b',
      problem: expect.stringContaining('1000 enum values'),
    });
  });

  test('15,000 characters in one enum of more than 250 values', () => {
    expect(checkStrictSchema(holding({ ...text, enum: words(250, 100) }))).toBeNull();
    expect(checkStrictSchema(holding({ ...text, enum: words(251, 59) }))).toBeNull();
    expect(checkStrictSchema(holding({ ...text, enum: words(251, 60) }))).toMatchObject({ path: 'properties.x' });
  });

  test('120,000 characters of names and values', () => {
    const fits = 'n'.repeat(119_990);
    expect(checkStrictSchema(named([fits, 'short']))).toBeNull();
    expect(checkStrictSchema(named([fits, 'not so short']))).toMatchObject({
      problem: expect.stringContaining('120000'),
    });
    expect(checkStrictSchema(object({}, { $defs: { [fits]: text, 'not so short': text } }))).not.toBeNull();
    expect(
      checkStrictSchema(object({ a: { ...text, const: fits }, b: { ...text, enum: ['not so short'] } })),
    ).not.toBeNull();
  });

  test('a name has 1 to 64 letters, digits, underscores and dashes', () => {
    for (const name of ['a', 'A-b_9', 'n'.repeat(64)]) expect(name).toMatch(SCHEMA_NAME_PATTERN);
    for (const name of ['', 'a b', 'ä', 'a\n', 'n'.repeat(65)]) expect(name).not.toMatch(SCHEMA_NAME_PATTERN);
  });
});

describe('hostile input', () => {
  test('circles and sharing in memory end', () => {
    const circle: Schema = { anyOf: [] };
    circle.anyOf = [circle, circle];
    expect(checkStrictSchema(holding(circle))).toMatchObject({ problem: expect.stringContaining('subschemas') });

    const definitions: Schema = {};
    for (let index = 0; index < 5_000; index++) definitions[`d${index}`] = { $ref: `#/$defs/d${index + 1}` };
    expect(checkStrictSchema(object({}, { $defs: definitions }))).toMatchObject({
      problem: "'$ref' leads round in a circle",
    });
  });

  test('chains of references are judged in time that grows with them', () => {
    const $defs: Schema = { d0: object({ end: text }) };
    for (let index = 1; index < 20_000; index++) $defs[`d${index}`] = object({ x: { $ref: `#/$defs/d${index - 1}` } });
    const began = performance.now();
    expect(checkStrictSchema({ ...object({}), $defs: { ...$defs } })).toMatchObject({
      problem: expect.stringContaining('properties'),
    });
    const few = Object.fromEntries(Object.entries($defs).slice(0, 4_000));
    expect(checkStrictSchema(object({}, { $defs: few }))).toBeNull();
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  test('a million alternatives or properties are refused, with a short path', () => {
    expect(checkStrictSchema(holding({ anyOf: Array.from({ length: 1_000_000 }, () => text) }))).not.toBeNull();
    expect(checkStrictSchema(object({ ['n'.repeat(100_000)]: {} }))?.path.length).toBeLessThanOrEqual(500);
  });

  test('any JSON is judged, never thrown at', () => {
    const keyword = fc.constantFrom(
      'type',
      'properties',
      'required',
      'items',
      'anyOf',
      '$ref',
      '$defs',
      'enum',
      'const',
    );
    const schemaLike = fc.letrec((tie) => ({
      schema: fc.dictionary(
        keyword,
        fc.oneof({ depthSize: 'small' }, fc.constantFrom('object', 'array', '#'), fc.jsonValue(), tie('schema')),
      ),
    })).schema;
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), schemaLike, schemaLike.map(holding)), (schema) => {
        const found = checkStrictSchema(schema);
        expect(found === null || found.problem.length > 0).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});
