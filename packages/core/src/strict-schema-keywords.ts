/**
 * What a JSON schema may say in OpenAI's strict structured-output mode. A keyword that is not here makes OpenAI refuse
 * the whole request.
 *
 * Sources: "Supported schemas" of OpenAI's structured-outputs guide, and the list of unsupported keywords in the SDK's
 * lib/transform.js. Where they leave room, the keyword is allowed: OpenAI's own refusal still follows, while ours
 * could not be got round. So `minLength` and `maxLength` pass (the guide excludes them for fine-tuned models only),
 * and so do annotations, `default` among them.
 */

type Kind = 'any' | 'string' | 'number' | 'array' | 'schema' | 'schemas' | 'schema map';

/** Keyword → what its value must be. */
export const STRICT_KEYWORDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ['type', 'any'],
  ['properties', 'schema map'],
  ['required', 'array'],
  ['additionalProperties', 'any'],
  ['items', 'schema'],
  ['anyOf', 'schemas'],
  ['enum', 'array'],
  ['const', 'any'],
  ['$ref', 'string'],
  ['$defs', 'schema map'],
  ['definitions', 'schema map'],
  ['pattern', 'string'],
  ['format', 'string'],
  ['minLength', 'number'],
  ['maxLength', 'number'],
  ['multipleOf', 'number'],
  ['minimum', 'number'],
  ['maximum', 'number'],
  ['exclusiveMinimum', 'number'],
  ['exclusiveMaximum', 'number'],
  ['minItems', 'number'],
  ['maxItems', 'number'],
  ['title', 'string'],
  ['description', 'string'],
  ['$comment', 'string'],
  ['default', 'any'],
  ['examples', 'any'],
  ['readOnly', 'any'],
  ['writeOnly', 'any'],
  ['deprecated', 'any'],
]);

/** Allowed in the outermost schema only. */
export const ROOT_KEYWORDS: ReadonlySet<string> = new Set(['$schema', '$id']);

/** Refused keyword → what to write instead. */
export const KEYWORD_ADVICE: ReadonlyMap<string, string> = new Map([
  ['oneOf', "use 'anyOf'"],
  ['allOf', 'write its parts as one schema'],
  ['nullable', 'use "type": ["…", "null"]'],
  ['patternProperties', 'use an array of {name, value} objects'],
  ['prefixItems', 'use an object with a property for each place'],
]);

export const STRICT_TYPES: ReadonlySet<unknown> = new Set([
  'string',
  'number',
  'integer',
  'boolean',
  'object',
  'array',
  'null',
]);

export const STRICT_FORMATS: ReadonlySet<unknown> = new Set([
  'date-time',
  'time',
  'date',
  'duration',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'uuid',
]);

/** What is wrong with the value of an allowed keyword, or null. Schemas inside it are judged on their own. */
export function keywordProblem(keyword: string, kind: Kind, value: unknown): string | null {
  switch (kind) {
    case 'any':
      return null;
    case 'string':
    case 'number':
      return typeof value === kind ? null : `'${keyword}' must be a ${kind}`;
    case 'array':
      return Array.isArray(value) ? null : `'${keyword}' must be an array`;
    case 'schemas':
      return Array.isArray(value) && value.length > 0 ? null : `'${keyword}' must be a non-empty array of schemas`;
    case 'schema':
      return Array.isArray(value) ? `'${keyword}' must be one schema, not a list of them` : null;
    case 'schema map':
      return typeof value === 'object' && value !== null && !Array.isArray(value)
        ? null
        : `'${keyword}' must be an object`;
  }
}
