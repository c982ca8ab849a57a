/** Would OpenAI's strict mode take this JSON schema? The first reason why not, in its words. */
import { isObject, type JsonObject, own } from '../json.ts';

/** From OpenAI's guide to structured outputs. */
const REFUSED_KEYWORDS = [
  'allOf',
  'oneOf',
  'not',
  'if',
  'then',
  'else',
  'dependentRequired',
  'dependentSchemas',
  'patternProperties',
] as const;
/** Schemas looked at before the rest is taken on trust; OpenAI's own bound is 5,000 properties. */
const MAX_NODES = 20_000;

type Path = readonly string[];

/** OpenAI prints the place as a Python tuple. */
function tuple(path: Path): string {
  const quoted = path.map((step) => `'${step}'`);
  return quoted.length === 1 ? `(${quoted[0]},)` : `(${quoted.join(', ')})`;
}

function objectProblem(node: JsonObject, path: Path): string | undefined {
  const properties = own(node, 'properties');
  if (node.type !== 'object' && !isObject(properties)) return undefined;
  if (node.additionalProperties !== false) {
    return `In context=${tuple(path)}, 'additionalProperties' is required to be supplied and to be false.`;
  }
  if (!isObject(properties)) return undefined;
  const required: unknown[] = Array.isArray(node.required) ? node.required : [];
  const missing = Object.keys(properties).find((name) => !required.includes(name));
  if (missing === undefined) return undefined;
  return `In context=${tuple(path)}, 'required' is required to be supplied and to be an array including every key in properties. Missing '${missing}'.`;
}

function children(node: JsonObject, path: Path): [schema: unknown, path: Path][] {
  const found: [unknown, Path][] = [];
  for (const keyword of ['properties', '$defs', 'definitions']) {
    const named = own(node, keyword);
    if (isObject(named)) {
      for (const [name, schema] of Object.entries(named)) found.push([schema, [...path, keyword, name]]);
    }
  }
  if (isObject(node.items)) found.push([node.items, [...path, 'items']]);
  if (Array.isArray(node.anyOf)) {
    for (const [index, schema] of node.anyOf.entries()) found.push([schema, [...path, 'anyOf', String(index)]]);
  }
  return found;
}

/** The first thing strict mode refuses about `schema`, with its place; undefined where it takes it. */
export function strictSchemaProblem(schema: JsonObject): string | undefined {
  if (schema.type !== 'object') {
    return `schema must be a JSON Schema of 'type: "object"', got 'type: ${JSON.stringify(schema.type ?? 'None')}'.`;
  }
  if (own(schema, 'anyOf') !== undefined) return "In context=(), 'anyOf' is not permitted at the root.";
  const waiting: [schema: unknown, path: Path][] = [[schema, []]];
  for (let at = 0; at < waiting.length && at < MAX_NODES; at += 1) {
    const [node, path] = waiting[at] ?? [undefined, []];
    if (!isObject(node)) continue;
    const refused = REFUSED_KEYWORDS.find((keyword) => Object.hasOwn(node, keyword));
    if (refused) return `In context=${tuple(path)}, '${refused}' is not permitted.`;
    const problem = objectProblem(node, path);
    if (problem) return problem;
    waiting.push(...children(node, path));
  }
  return undefined;
}
