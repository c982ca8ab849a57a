import { isIP } from 'node:net';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isObject, type JsonObject } from '../json.ts';
import { strictSchemaProblem } from '../request/strict-schema.ts';
import { readDocument } from './document.ts';
import { fillSchema } from './fill.ts';

const DOCUMENT = `# left-pad

Pads a string on the left. Mail ada@example.com or see https://example.com/docs.

Total: 1,234.50 · Status: paid · Date: 2026-03-04 · Active: yes

\`\`\`sh
npm install left-pad
\`\`\`

## Tags

- string
- pad

## License

MIT
`;

/** Names the finders know and names they do not. */
const NAMES = [
  'name',
  'purpose',
  'license',
  'links',
  'email',
  'date',
  'total',
  'status',
  'active',
  'tags',
  'x',
  'ä',
  'constructor',
];

const ajv = new Ajv({ strict: false, allErrors: true, logger: false });
ajv.addFormat('date', (text) => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)));
ajv.addFormat('date-time', (text) => text.includes('T') && !Number.isNaN(Date.parse(text)));
ajv.addFormat('uri', (text) => URL.canParse(text));
ajv.addFormat('email', (text) => /^\S+@\S+\.\S+$/.test(text));
ajv.addFormat('ipv4', (text) => isIP(text) === 4);
ajv.addFormat('ipv6', (text) => isIP(text) === 6);
ajv.addFormat('uuid', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i);

function problems(schema: JsonObject, value: unknown): string | undefined {
  const validate = ajv.compile(schema);
  return validate(value) ? undefined : `${ajv.errorsText(validate.errors)} in ${JSON.stringify(value)}`;
}

const range = fc.tuple(fc.integer({ min: -1000, max: 1000 }), fc.integer({ min: 0, max: 500 }));
const lengths = fc.tuple(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 0, max: 30 }));

const leaf: fc.Arbitrary<JsonObject> = fc.oneof(
  fc.constant({ type: 'string' }),
  fc.constant({ type: ['string', 'null'] }),
  fc.constant({ type: 'boolean' }),
  fc.constant({ type: 'null' }),
  lengths.map(([min, more]) => ({ type: 'string', minLength: min, maxLength: min + more })),
  fc
    .constantFrom('date', 'date-time', 'uri', 'email', 'ipv4', 'ipv6', 'uuid')
    .map((format) => ({ type: 'string', format })),
  fc
    .constantFrom('^[A-Z]{2,4}-\\d{3}$', '^(yes|no)$', '^\\w+@\\w+\\.com$', '[0-9]+', '^#[0-9a-f]{6}$', '^[^a-z]*$')
    .map((pattern) => ({ type: 'string', pattern })),
  fc
    .tuple(fc.constantFrom('number', 'integer'), range)
    .map(([type, [min, more]]) => ({ type, minimum: min, maximum: min + more })),
  range.map(([min, more]) => ({ type: ['integer', 'null'], exclusiveMinimum: min, exclusiveMaximum: min + more + 2 })),
  range.map(([min]) => ({ type: 'number', exclusiveMinimum: min })),
  fc.constantFrom(0.01, 0.5, 3, 7).map((step) => ({ type: 'number', multipleOf: step })),
  fc
    .uniqueArray(fc.oneof(fc.string(), fc.integer(), fc.constant(null)), { minLength: 1, maxLength: 4 })
    .map((choices) => ({ enum: choices })),
  fc.constantFrom('paid', 7, true, null).map((value) => ({ const: value })),
);

const { node } = fc.letrec<{ node: JsonObject; object: JsonObject }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, depthSize: 'small', withCrossShrink: true },
    leaf,
    tie('object'),
    fc
      .tuple(tie('node'), fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 }))
      .map(([items, min, more]) => ({ type: 'array', items, minItems: min, maxItems: min + more })),
    fc.array(tie('node'), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
    fc.constant({ anyOf: [{ $ref: '#/$defs/tree' }, { type: 'null' }] }),
    fc.constant({ $ref: '#/$defs/tree' }),
  ),
  object: fc.dictionary(fc.constantFrom(...NAMES), tie('node'), { maxKeys: 5 }).map((properties) => ({
    type: 'object',
    properties,
    required: Object.keys(properties),
    additionalProperties: false,
  })),
}));

/** A tree whose branches may or may not end in null: some of them end only in an empty list. */
const TREE = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    left: { anyOf: [{ $ref: '#/$defs/tree' }, { type: 'null' }] },
    children: { type: 'array', items: { $ref: '#/$defs/tree' } },
  },
  required: ['name', 'left', 'children'],
  additionalProperties: false,
};

const strictSchema = fc.dictionary(fc.constantFrom(...NAMES), node, { maxKeys: 6 }).map((properties) => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
  $defs: { tree: TREE },
}));

test('whatever strict schema is asked, the answer validates against it', () => {
  const documents = fc.oneof(fc.constant(DOCUMENT), fc.constant(''), fc.string({ unit: 'grapheme', maxLength: 200 }));
  fc.assert(
    fc.property(strictSchema, documents, (schema, text) => {
      expect(strictSchemaProblem(schema)).toBeUndefined();
      const value: unknown = JSON.parse(JSON.stringify(fillSchema(schema, readDocument(text))));
      expect(problems(schema, value)).toBeUndefined();
    }),
    { numRuns: 300 },
  );
});

describe('what strict mode does not know is answered as well as can be', () => {
  const LOOSE: [what: string, schema: JsonObject][] = [
    ['an optional property', { type: 'object', properties: { total: { type: 'number' }, y: { type: 'string' } } }],
    [
      'allOf',
      {
        allOf: [
          { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] },
          { required: ['b'], properties: { b: { type: 'string' } } },
        ],
      },
    ],
    [
      'oneOf',
      {
        type: 'object',
        properties: { a: { oneOf: [{ type: 'integer', minimum: 3 }, { type: 'array' }] } },
        required: ['a'],
      },
    ],
    ['a root that is a list', { type: 'array', items: { type: 'string', format: 'uri' }, minItems: 1 }],
    [
      'a property named __proto__',
      JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string"}},"required":["__proto__"]}'),
    ],
    [
      'a required name without a schema',
      { type: 'object', required: ['a'], additionalProperties: { type: 'integer' } },
    ],
    ['no schema at all', {}],
  ];
  test.each(LOOSE)('%s', (_what, schema) => {
    expect(problems(schema, JSON.parse(JSON.stringify(fillSchema(schema, readDocument(DOCUMENT)))))).toBeUndefined();
  });

  test('a schema no finite value satisfies is still answered', () => {
    const endless = {
      type: 'object',
      properties: { self: { $ref: '#' } },
      required: ['self'],
      additionalProperties: false,
    };
    expect(isObject(fillSchema(endless, readDocument('')))).toBe(true);
    expect(fillSchema({ $ref: '#' }, readDocument(''))).toBeDefined();
    expect(fillSchema({ anyOf: [{ $ref: '#' }] }, readDocument(''))).toBeNull();
    expect(fillSchema({ anyOf: [{ $ref: '#' }, { type: 'null' }] }, readDocument(''))).toBeNull();
    expect(fillSchema({ type: 'object', allOf: [{ $ref: '#' }, { required: ['a'] }] }, readDocument(''))).toEqual({
      a: '',
    });
  });
});

test('what the document says is what the answer says; what it does not say is null where it may be', () => {
  const schema = {
    type: 'object',
    properties: {
      name: { type: 'string' },
      purpose: { type: 'string' },
      license: { enum: ['Apache-2.0', 'MIT', 'unknown'] },
      install_command: { type: ['string', 'null'] },
      links: { type: 'array', items: { type: 'string', format: 'uri' } },
      email: { type: 'string', format: 'email' },
      tags: { type: 'array', items: { type: 'string' } },
      kinds: { type: 'array', items: { enum: ['pad', 'trim', 'string'] } },
      author: { anyOf: [{ type: 'string' }, { type: 'null' }] },
      stars: { type: ['integer', 'null'] },
      homepage: { type: 'string' },
      country: { type: 'string' },
    },
  };
  const required = Object.keys(schema.properties);
  expect(fillSchema({ ...schema, required, additionalProperties: false }, readDocument(DOCUMENT))).toEqual({
    name: 'left-pad',
    purpose: 'Pads a string on the left. Mail ada@example.com or see https://example.com/docs.',
    license: 'MIT',
    install_command: 'npm install left-pad',
    links: ['https://example.com/docs'],
    email: 'ada@example.com',
    tags: ['string', 'pad'],
    kinds: ['pad', 'string'],
    author: null,
    stars: null,
    homepage: 'https://example.com/docs',
    country: '',
  });
});

test('a property with a name of its own is found by what its description says it is', () => {
  const properties = {
    pkg: { type: 'string', description: 'The name of the package, as published' },
    cmd: { type: ['string', 'null'], description: 'Installation command' },
    terms: { type: ['string', 'null'], description: 'License of the package' },
    state: { type: ['string', 'null'], description: 'The status, if any' },
  };
  const schema = { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
  expect(fillSchema(schema, readDocument(`${DOCUMENT}\nStatus: stable`))).toEqual({
    pkg: 'left-pad',
    cmd: 'npm install left-pad',
    terms: 'MIT',
    state: 'stable',
  });
});

test('an invoice gives its numbers, dates and choices', () => {
  const invoice = `INVOICE

Invoice number: INV-2041
Customer: Ada Lovelace Ltd
Issued: 3 March 2026
Due date: 2026-04-02

| Item | Quantity | Price |
|---|---|---|
| Analytical engine | 1 | 1,000.00 |

Subtotal 1,000.00
Total amount: EUR 1,190.00
Paid: no
Status: overdue`;
  const text = { type: 'string' };
  const properties = {
    invoice_number: { type: 'string', pattern: '^INV-\\d+$' },
    customer: text,
    issued: { type: 'string', format: 'date' },
    dueDate: { type: 'string', format: 'date' },
    total: { type: 'number' },
    subtotal: { type: 'number' },
    paid: { type: 'boolean' },
    status: { enum: ['open', 'paid', 'overdue'] },
  };
  const schema = { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
  expect(fillSchema(schema, readDocument(invoice))).toEqual({
    invoice_number: 'INV-2041',
    customer: 'Ada Lovelace Ltd',
    issued: '2026-03-03',
    dueDate: '2026-04-02',
    total: 1190,
    subtotal: 1000,
    paid: false,
    status: 'overdue',
  });
});

test.each<[string, JsonObject]>([
  ['an alternative that is the whole again', { oneOf: [{ $ref: '#' }, { type: 'string' }] }],
  ['lists that are never empty of lists that are never empty', { type: 'array', items: { $ref: '#' }, minItems: 3 }],
  [
    'lists of thousands of lists of thousands',
    {
      type: 'array',
      minItems: 10_000,
      items: { type: 'array', minItems: 10_000, items: { type: 'array', minItems: 10_000, items: { type: 'null' } } },
    },
  ],
])('%s: it ends all the same', (_, schema) => {
  expect(JSON.stringify(fillSchema(schema, readDocument(DOCUMENT))).length).toBeLessThan(2_000_000);
});
