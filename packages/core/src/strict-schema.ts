/**
 * Would OpenAI's strict structured-output mode refuse this JSON schema? Asked before a job is stored, so that a million
 * jobs do not fail one by one on the same schema. Never recursive, never slower than linear, whatever it is given.
 */

import { isJsonObject, type JsonObject } from './responses-request-fault.ts';
import {
  KEYWORD_ADVICE,
  keywordProblem,
  ROOT_KEYWORDS,
  STRICT_FORMATS,
  STRICT_KEYWORDS,
  STRICT_TYPES,
} from './strict-schema-keywords.ts';
import { recursionProblem } from './strict-schema-recursion.ts';
import { referenceProblem } from './strict-schema-reference.ts';

/** Names OpenAI takes for a schema: letters, digits, underscores and dashes, at most 64. */
export const SCHEMA_NAME_PATTERN = /^[a-zA-Z0-9_-]{1,64}$/;

/** Limits as documented under "Supported schemas" in OpenAI's structured-outputs guide. */
const MAX_NESTING_LEVELS = 10;
const MAX_PROPERTIES = 5_000;
const MAX_ENUM_VALUES = 1_000;
/** Property names, definition names, enum and const values together. */
const MAX_NAME_AND_VALUE_CHARACTERS = 120_000;
/** One enum of more than LARGE_ENUM_VALUES strings may hold this many characters. */
const MAX_LARGE_ENUM_CHARACTERS = 15_000;
const LARGE_ENUM_VALUES = 250;

/** Ours: ends the walk over a value that is shared or circular in memory, which no JSON text can be. */
const MAX_SUBSCHEMAS = 50_000;
/** Ours: names in a path are the caller's, and may be long. */
const MAX_PATH_CHARACTERS = 500;

export interface SchemaProblem {
  /** Where, as `properties.items.items.properties.price` or `anyOf[1]`; empty for the schema itself. */
  path: string;
  /** What, to be read after the path: "needs additionalProperties: false". */
  problem: string;
}

interface Subschema {
  schema: unknown;
  path: string;
  /** Objects and arrays around it. */
  level: number;
}

interface Walk {
  root: JsonObject;
  waiting: Subschema[];
  properties: number;
  enumValues: number;
  characters: number;
}

/**
 * The first reason for which OpenAI would refuse `schema` with `strict: true`, outermost first; null when there is
 * none. Levels are counted as OpenAI's errors count them: objects and arrays on the way down, not `anyOf`; a `$ref` is
 * not followed, so what it adds is not counted.
 */
export function checkStrictSchema(schema: unknown): SchemaProblem | null {
  if (!isJsonObject(schema)) return { path: '', problem: 'must be a JSON schema object' };
  if (schema.anyOf !== undefined) return { path: '', problem: "must not be an 'anyOf' at its root" };
  if (schema.type !== 'object') return { path: '', problem: 'must have "type": "object" at its root' };

  const walk: Walk = { root: schema, waiting: [], properties: 0, enumValues: 0, characters: 0 };
  walk.waiting.push({ schema, path: '', level: 0 });
  for (const next of walk.waiting) {
    const problem = subschemaProblem(next, walk);
    if (problem !== null) return { path: next.path.slice(0, MAX_PATH_CHARACTERS), problem };
  }
  return recursionProblem(walk.waiting, schema);
}

/** Judges one subschema and queues those inside it. */
function subschemaProblem(at: Subschema, walk: Walk): string | null {
  const { schema } = at;
  if (!isJsonObject(schema)) return 'must be a schema object, not a boolean or another value';
  if (schema.$ref !== undefined) return refProblem(schema, walk);

  const types: readonly unknown[] = Array.isArray(schema.type) ? schema.type : [schema.type];
  const isObject = types.includes('object');
  const isArray = types.includes('array');
  const level = at.level + (isObject || isArray ? 1 : 0);
  if (level > MAX_NESTING_LEVELS) return `is nested more than ${MAX_NESTING_LEVELS} levels deep`;

  return (
    keywordsProblem(schema, schema === walk.root) ??
    typeProblem(schema, types) ??
    (isObject ? objectProblem(schema) : null) ??
    (isArray && schema.items === undefined ? "is an array without 'items'" : null) ??
    valuesProblem(schema, walk) ??
    queueInner(schema, at.path, level, walk)
  );
}

function refProblem(schema: JsonObject, walk: Walk): string | null {
  const sibling = Object.keys(schema).find((keyword) => keyword !== '$ref');
  if (sibling !== undefined) return `has '${cut(sibling)}' beside '$ref', which must stand alone`;
  return typeof schema.$ref === 'string' ? referenceProblem(schema.$ref, walk.root) : "'$ref' must be a string";
}

function keywordsProblem(schema: JsonObject, isRoot: boolean): string | null {
  for (const [keyword, value] of Object.entries(schema)) {
    const kind = STRICT_KEYWORDS.get(keyword);
    if (kind === undefined) {
      if (isRoot && ROOT_KEYWORDS.has(keyword)) continue;
      const advice = KEYWORD_ADVICE.get(keyword);
      return `uses '${cut(keyword)}', which strict mode does not support${advice === undefined ? '' : `: ${advice}`}`;
    }
    const problem = keywordProblem(keyword, kind, value);
    if (problem !== null) return problem;
  }
  if (schema.format !== undefined && !STRICT_FORMATS.has(schema.format)) {
    return `uses the format '${cut(String(schema.format))}', which strict mode does not support`;
  }
  return null;
}

function typeProblem(schema: JsonObject, types: readonly unknown[]): string | null {
  if (schema.type === undefined) return schema.anyOf === undefined ? "needs a 'type'" : null;
  const isKnown = types.length > 0 && types.every((type) => STRICT_TYPES.has(type));
  return isKnown ? null : `'type' must be one or more of ${[...STRICT_TYPES].join(', ')}`;
}

function objectProblem(schema: JsonObject): string | null {
  if (schema.additionalProperties !== false) return 'needs "additionalProperties": false';
  if (!isJsonObject(schema.properties)) return "is an object without 'properties'";
  const required: ReadonlySet<unknown> = new Set(Array.isArray(schema.required) ? schema.required : []);
  for (const name of Object.keys(schema.properties)) {
    if (!required.has(name)) {
      return `must list '${cut(name)}' in 'required' (for an optional one use "type": ["…", "null"])`;
    }
  }
  for (const name of required) {
    if (typeof name !== 'string') return "'required' must list names";
    if (!Object.hasOwn(schema.properties, name)) return `lists '${cut(name)}' in 'required' but not in 'properties'`;
  }
  return null;
}

/** Enum and const: counted over the whole schema. */
function valuesProblem(schema: JsonObject, walk: Walk): string | null {
  if (schema.const !== undefined) walk.characters += charactersOf(schema.const);
  if (Array.isArray(schema.enum)) {
    if (schema.enum.length === 0) return "has an empty 'enum'";
    walk.enumValues += schema.enum.length;
    if (walk.enumValues > MAX_ENUM_VALUES) return `brings the schema above ${MAX_ENUM_VALUES} enum values in all`;
    const characters = schema.enum.reduce<number>((sum, value) => sum + charactersOf(value), 0);
    if (schema.enum.length > LARGE_ENUM_VALUES && characters > MAX_LARGE_ENUM_CHARACTERS) {
      return `has more than ${LARGE_ENUM_VALUES} enum values with more than ${MAX_LARGE_ENUM_CHARACTERS} characters`;
    }
    walk.characters += characters;
  }
  return charactersProblem(walk);
}

/** Queues the schemas inside; `level` is that of the objects and arrays around them. */
function queueInner(schema: JsonObject, path: string, level: number, walk: Walk): string | null {
  for (const keyword of ['properties', '$defs', 'definitions']) {
    const inner = schema[keyword];
    if (!isJsonObject(inner)) continue;
    for (const [name, value] of Object.entries(inner)) {
      walk.characters += name.length;
      if (keyword === 'properties') walk.properties++;
      const innerLevel = keyword === 'properties' ? level : 0;
      walk.waiting.push({ schema: value, path: join(path, `${keyword}.${name}`), level: innerLevel });
    }
  }
  if (schema.items !== undefined) walk.waiting.push({ schema: schema.items, path: join(path, 'items'), level });
  if (Array.isArray(schema.anyOf)) {
    for (const [index, branch] of schema.anyOf.entries()) {
      walk.waiting.push({ schema: branch, path: join(path, `anyOf[${index}]`), level });
    }
  }
  if (walk.waiting.length > MAX_SUBSCHEMAS) return `brings the schema above ${MAX_SUBSCHEMAS} subschemas in all`;
  if (walk.properties > MAX_PROPERTIES) return `brings the schema above ${MAX_PROPERTIES} properties in all`;
  return charactersProblem(walk);
}

function charactersProblem(walk: Walk): string | null {
  if (walk.characters <= MAX_NAME_AND_VALUE_CHARACTERS) return null;
  return `brings the schema above ${MAX_NAME_AND_VALUE_CHARACTERS} characters of names and values in all`;
}

function charactersOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  return typeof value === 'number' ? String(value).length : 0;
}

function join(path: string, step: string): string {
  return path === '' ? step : `${path}.${step}`;
}

/** Names in a message are the caller's, and may be long. */
function cut(name: string): string {
  return name.length > 64 ? `${name.slice(0, 64)}…` : name;
}
