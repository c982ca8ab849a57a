/** A JSON schema's shape: references resolved, types named, and how deep its smallest value must be. */
import { isObject, type JsonObject, own } from '../json.ts';

/** A longer chain of references is a circle. */
const MAX_REFERENCES = 32;

/** The schema a local reference (`#/$defs/item`, JSON pointer) points to; undefined where it leads nowhere. */
function lookUp(root: JsonObject, reference: string): unknown {
  if (!reference.startsWith('#')) return undefined;
  let node: unknown = root;
  for (const step of reference.slice(1).split('/').filter(Boolean)) {
    const key = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
    node = Array.isArray(node) ? node[Number(key)] : isObject(node) ? own(node, key) : undefined;
  }
  return node;
}

/** Follows references and merges `allOf`, as far as a merge can; a schema that is part of itself adds nothing. */
export function resolveSchema(root: JsonObject, schema: unknown, within: readonly unknown[] = []): JsonObject {
  let node: JsonObject = isObject(schema) ? schema : {};
  const passed = [...within, node];
  for (let hops = 0; typeof node.$ref === 'string' && hops < MAX_REFERENCES; hops += 1) {
    const { $ref, ...beside } = node;
    const target = lookUp(root, $ref);
    passed.push(target);
    node = { ...(isObject(target) ? target : {}), ...beside };
  }
  if (!Array.isArray(node.allOf)) return node;
  const { allOf, ...rest } = node;
  const others = allOf.filter((part) => !passed.includes(part) && passed.length < MAX_REFERENCES);
  const parts = [...others.map((part) => resolveSchema(root, part, passed)), rest];
  const merged: JsonObject = Object.assign({}, ...parts);
  merged.properties = Object.assign({}, ...parts.map((part) => part.properties));
  merged.required = parts.flatMap((part) => (Array.isArray(part.required) ? part.required : []));
  return merged;
}

export type TypeName = 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean' | 'null';

const TYPE_NAMES: readonly unknown[] = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'];

function isTypeName(value: unknown): value is TypeName {
  return TYPE_NAMES.includes(value);
}

/** The types a resolved schema allows, in its order; guessed from its keywords where it names none. */
export function typesOf(schema: JsonObject): TypeName[] {
  const named: unknown[] = Array.isArray(schema.type) ? schema.type : [schema.type];
  const types = named.filter(isTypeName);
  if (types.length > 0) return types;
  if (isObject(schema.properties)) return ['object'];
  if (schema.items !== undefined) return ['array'];
  if (schema.minimum !== undefined || schema.maximum !== undefined) return ['number'];
  return ['string'];
}

/** The branches of `anyOf` or `oneOf`; undefined where the schema has none. */
export function branchesOf(schema: JsonObject): unknown[] | undefined {
  const branches = Array.isArray(schema.anyOf) ? schema.anyOf : schema.oneOf;
  return Array.isArray(branches) && branches.length > 0 ? branches : undefined;
}

export function requiredOf(schema: JsonObject): string[] {
  return Array.isArray(schema.required) ? schema.required.filter((name) => typeof name === 'string') : [];
}

/**
 * Tells how many levels of objects and arrays the smallest value of a schema has, up to a bound; a recursive schema
 * needs this to know which branch ends.
 */
export function createDepthGauge(root: JsonObject): (schema: unknown, bound: number) => number {
  const known = new Map<unknown, boolean[]>();
  const asking = new Map<unknown, Set<number>>();

  function ends(schema: unknown, levels: number): boolean {
    if (!isObject(schema)) return true;
    const before = known.get(schema)?.[levels];
    if (before !== undefined) return before;
    const asked = asking.get(schema) ?? new Set();
    if (asked.has(levels)) return false;
    asked.add(levels);
    asking.set(schema, asked);
    const answer = endsWithin(resolveSchema(root, schema), levels);
    asked.delete(levels);
    // A "no" found while a circle is still open may be a "yes" from elsewhere: only a "yes" is sure.
    if (answer) {
      const answers = known.get(schema) ?? [];
      answers[levels] = true;
      known.set(schema, answers);
    }
    return answer;
  }

  function endsWithin(schema: JsonObject, levels: number): boolean {
    if (schema.const !== undefined || Array.isArray(schema.enum)) return true;
    const branches = branchesOf(schema);
    if (branches) return branches.some((branch) => ends(branch, levels));
    return typesOf(schema).some((type) => {
      if (type === 'array') {
        const needsItems = typeof schema.minItems === 'number' && schema.minItems > 0;
        return !needsItems || (levels > 0 && ends(schema.items, levels - 1));
      }
      if (type !== 'object') return true;
      const properties = isObject(schema.properties) ? schema.properties : {};
      const required = requiredOf(schema);
      return required.length === 0 || (levels > 0 && required.every((name) => ends(own(properties, name), levels - 1)));
    });
  }

  return (schema, bound) => {
    for (let levels = 0; levels < bound; levels += 1) if (ends(schema, levels)) return levels;
    return bound;
  };
}
