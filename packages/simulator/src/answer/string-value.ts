/** A text that a string schema takes: the one found in the document if it fits, else one made to fit. */
import { isObject, type JsonObject, own } from '../json.ts';
import type { Document } from './document.ts';
import { type Field, findText } from './find.ts';
import { matchingText } from './pattern.ts';

interface Format {
  pattern: RegExp;
  sample: string;
}

/** The formats of OpenAI's strict mode, and `uri`. */
const FORMATS: Readonly<Record<string, Format>> = {
  date: { pattern: /^\d{4}-(0\d|1[0-2])-([0-2]\d|3[01])$/, sample: '1970-01-01' },
  'date-time': {
    pattern: /^\d{4}-(0\d|1[0-2])-([0-2]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]\d{2}:\d{2})$/,
    sample: '1970-01-01T00:00:00Z',
  },
  time: { pattern: /^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]\d{2}:\d{2})$/, sample: '00:00:00Z' },
  duration: { pattern: /^P(?!$)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+S)?)?$/, sample: 'P1D' },
  email: { pattern: /^[\w.%+-]+@[\w-]+(\.[\w-]+)+$/, sample: 'someone@example.com' },
  hostname: {
    pattern: /^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*$/,
    sample: 'example.com',
  },
  ipv4: { pattern: /^((25[0-5]|2[0-4]\d|1?\d?\d)(\.|$)){4}$/, sample: '192.0.2.1' },
  ipv6: { pattern: /^[0-9a-fA-F:]*::?[0-9a-fA-F:]+$/, sample: '2001:db8::1' },
  uuid: {
    pattern: /^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/,
    sample: '00000000-0000-4000-8000-000000000000',
  },
  uri: { pattern: /^[a-zA-Z][a-zA-Z0-9+.-]*:[^\s]+$/, sample: 'https://example.com/' },
};

/** Longer than this and a candidate is not tried against the schema's pattern: patterns are strangers, and may be slow. */
const MAX_TESTED_CHARACTERS = 1000;
/** Words of the document tried against a pattern. */
const MAX_WORDS = 2000;
const MAX_WORD_CHARACTERS = 64;
/** Pads a text that is too short. */
const FILLER = 'x';

interface Rules {
  min: number;
  max: number;
  format: Format | undefined;
  pattern: RegExp | undefined;
}

function rulesOf(schema: JsonObject): Rules {
  let pattern: RegExp | undefined;
  try {
    if (typeof schema.pattern === 'string') pattern = new RegExp(schema.pattern, 'u');
  } catch {
    // A pattern that is no regular expression holds nobody to anything.
  }
  const format =
    typeof schema.format === 'string' && Object.hasOwn(FORMATS, schema.format) ? FORMATS[schema.format] : undefined;
  return {
    min: typeof schema.minLength === 'number' ? schema.minLength : 0,
    max: typeof schema.maxLength === 'number' ? schema.maxLength : Number.POSITIVE_INFINITY,
    format,
    pattern,
  };
}

/** JSON Schema counts characters, not UTF-16 units. */
function lengthOf(text: string): number {
  return text.length > MAX_TESTED_CHARACTERS ? [...text].length : Array.from(text).length;
}

function fits(text: string, { min, max, format, pattern }: Rules): boolean {
  const length = lengthOf(text);
  if (length < min || length > max) return false;
  if (format && !format.pattern.test(text)) return false;
  return !pattern || (text.length <= MAX_TESTED_CHARACTERS && pattern.test(text));
}

function madeToFit(schema: JsonObject, rules: Rules): string {
  const samples = [rules.format?.sample ?? '', ''];
  for (const sample of samples) {
    const padded = sample + FILLER.repeat(Math.max(0, rules.min - lengthOf(sample)));
    if (fits(sample, rules)) return sample;
    if (fits(padded, rules)) return padded;
  }
  const made =
    typeof schema.pattern === 'string' ? matchingText(schema.pattern, (text) => fits(text, rules)) : undefined;
  return made ?? rules.format?.sample ?? FILLER.repeat(Math.min(rules.min, MAX_TESTED_CHARACTERS));
}

/** A word of the document that the schema's pattern takes: an invoice number, a postcode. */
function findByPattern(document: Document, rules: Rules): string | undefined {
  const word = /[^\s,;"'()<>[\]{}]+/g;
  let tried = 0;
  for (const [match] of document.text.matchAll(word)) {
    tried += 1;
    if (tried > MAX_WORDS) return undefined;
    const bare = match.replace(/[.:!?]+$/, '');
    if (bare.length <= MAX_WORD_CHARACTERS && fits(bare, rules)) return bare;
  }
  return undefined;
}

/** `text` cut to the schema's greatest length, if it then fits; undefined if not. */
export function fitText(text: string, schema: JsonObject): string | undefined {
  const rules = rulesOf(schema);
  const cut = lengthOf(text) > rules.max ? Array.from(text).slice(0, rules.max).join('').trimEnd() : text;
  return fits(cut, rules) ? cut : undefined;
}

/** A value for a string schema, and whether the document gave it. */
export function stringValue(schema: JsonObject, field: Field, document: Document): { value: string; found: boolean } {
  const rules = rulesOf(schema);
  const format = own(schema, 'format');
  const text = findText(document, field, typeof format === 'string' ? format : undefined);
  const fitted = text === undefined ? undefined : fitText(text, schema);
  if (fitted) return { value: fitted, found: true };
  const byPattern = rules.pattern ? findByPattern(document, rules) : undefined;
  if (byPattern !== undefined) return { value: byPattern, found: true };
  return { value: madeToFit(schema, rules), found: false };
}

/** True for the schema of a text: what a list of found texts may be put in. */
export function isStringSchema(schema: unknown): schema is JsonObject {
  return isObject(schema) && schema.type === 'string' && !Array.isArray(schema.enum) && !('const' in schema);
}
