/**
 * Schemas that refer to themselves. Strict mode takes them where every round goes through a property or an item, and
 * some value has an end; all others send validators round for ever, or a model on and on until its tokens run out.
 * Linear in the size of the schema, and never recursive itself.
 */
import { isJsonObject, type JsonObject } from './responses-request-fault.ts';
import { resolveReference } from './strict-schema-reference.ts';

/** A subschema and where it stands. */
interface Place {
  schema: unknown;
  path: string;
}

/** What must hold of a subschema: all conditions, each of which holds when one of the subschemas it names (by index) does. */
type Conditions = number[][];

/**
 * @param places every subschema of `root`, outermost first
 * @returns where the first circle without an end closes; null where there is none
 */
export function recursionProblem(places: readonly Place[], root: JsonObject): { path: string; problem: string } | null {
  const indexes = new Map<unknown, number>();
  for (const [index, { schema }] of places.entries()) if (!indexes.has(schema)) indexes.set(schema, index);
  const indexesOf = (schemas: readonly unknown[]): number[] => schemas.flatMap((one) => indexes.get(one) ?? []);

  const same = places.map(({ schema }) => indexesOf(onSameValue(schema, root)));
  const astray = places.findIndex(({ schema }, index) => isReference(schema) && same[index]?.length === 0);
  if (astray >= 0) return { path: places[astray]?.path ?? '', problem: "'$ref' leads to something that is no schema" };

  // A validator comes to its end when all that it asks about the same value do.
  const circle = closing(same.map((targets) => targets.map((target) => [target])));
  if (circle !== null) return { path: places[circle]?.path ?? '', problem: "leads round in a circle of '$ref'" };

  // A value comes to its end when all its parts do; of alternatives, one.
  const needs = places.map(({ schema }, index): Conditions => {
    const alternatives = same[index] ?? [];
    const parts = indexesOf(neededParts(schema)).map((part) => [part]);
    return alternatives.length === 0 ? parts : [...parts, alternatives];
  });
  const endless = closing(needs);
  if (endless === null) return null;
  return { path: places[endless]?.path ?? '', problem: 'has no value that ends: each holds another of its own kind' };
}

function isReference(schema: unknown): schema is { $ref: string } {
  return isJsonObject(schema) && typeof schema.$ref === 'string';
}

/** The schemas that a schema applies to the very value it is applied to. */
function onSameValue(schema: unknown, root: JsonObject): readonly unknown[] {
  if (isReference(schema)) return [resolveReference(schema.$ref, root)];
  return isJsonObject(schema) && Array.isArray(schema.anyOf) ? schema.anyOf : [];
}

/** The schemas of what even its smallest value must hold. */
function neededParts(schema: unknown): readonly unknown[] {
  if (!isJsonObject(schema) || schema.const !== undefined || schema.enum !== undefined) return [];
  const types: readonly unknown[] = Array.isArray(schema.type) ? schema.type : [schema.type];
  if (types.some((type) => type !== 'object')) {
    return types.every((type) => type === 'array') && Number(schema.minItems) > 0 ? [schema.items] : [];
  }
  return isJsonObject(schema.properties) ? Object.values(schema.properties) : [];
}

/** Of the subschemas whose conditions cannot all come to hold, one that closes a circle; null where all can. */
function closing(conditions: readonly Conditions[]): number | null {
  const waits = conditions.map(({ length }) => length);
  const waiting: { of: number; holds: boolean }[][] = conditions.map(() => []);
  for (const [of, all] of conditions.entries()) {
    for (const any of all) {
      const condition = { of, holds: false };
      for (const index of any) waiting[index]?.push(condition);
    }
  }
  const hold = [...waits.keys()].filter((index) => waits[index] === 0);
  for (const index of hold) {
    for (const condition of waiting[index] ?? []) {
      if (condition.holds) continue;
      condition.holds = true;
      waits[condition.of] = (waits[condition.of] ?? 0) - 1;
      if (waits[condition.of] === 0) hold.push(condition.of);
    }
  }
  const first = waits.findIndex((wait) => wait > 0);
  if (first < 0) return null;
  // Each that does not hold waits for another one: followed far enough, one comes up again.
  const seen = new Set<number>();
  let at = first;
  for (;;) {
    seen.add(at);
    const next = (conditions[at] ?? []).find((any) => any.every((index) => (waits[index] ?? 0) > 0))?.[0] ?? first;
    if (seen.has(next)) return at;
    at = next;
  }
}
