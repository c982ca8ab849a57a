/**
 * Extraction of every record that a document has: the schema of one becomes that of an object with a list of them, as
 * strict mode wants an object at its root. Definitions move to the root, so that references lead where they led.
 */
import * as z from 'zod';
import { isJsonObject, type JsonObject } from './responses-request-fault.ts';
import { checkStrictSchema, type SchemaProblem } from './strict-schema.ts';

/** The one property of the object that is asked for. */
export const RECORDS = 'records';

/** Where one record's schema stands in it, where it is no definition. */
const RECORD_PATH = `properties.${RECORDS}.items`;

/** Configured schemas are the same object for each job, and so are theirs. */
const made = new WeakMap<JsonObject, JsonObject>();

/** @param record a schema that strict mode takes */
export function manySchema(record: JsonObject): JsonObject {
  const known = made.get(record);
  if (known !== undefined) return known;
  const many = listOf(record);
  made.set(record, many);
  return many;
}

const madeOfZod = new WeakMap<z.ZodType, z.ZodType>();

/** The same of a zod type. */
export function manyZod(record: z.ZodType): z.ZodType {
  const known = madeOfZod.get(record);
  if (known !== undefined) return known;
  const many = z.object({ [RECORDS]: z.array(record) });
  madeOfZod.set(record, many);
  return many;
}

/** The records in a value that fits the schema of many. */
export function recordsOf(value: unknown): unknown {
  return isJsonObject(value) ? value[RECORDS] : value;
}

/** What strict mode refuses about many of what it takes one of: they are two levels deeper. Paths are the record's own. */
export function manySchemaProblem(record: JsonObject): SchemaProblem | null {
  const found = checkStrictSchema(manySchema(record));
  if (found === null) return null;
  const path = found.path.startsWith(RECORD_PATH) ? found.path.slice(RECORD_PATH.length + 1) : found.path;
  return { path, problem: `${found.problem}, as one of many records` };
}

function listOf(record: JsonObject): JsonObject {
  const name = freeName(isJsonObject(record.$defs) ? record.$defs : {});
  let isReferredTo = false;
  const led = withReferences(record, (reference) => {
    if (/^#\/(\$|%24)?(defs|definitions)\//.test(reference)) return reference;
    isReferredTo = true;
    return `#/$defs/${name}${reference.slice(1)}`;
  }) as JsonObject;
  const { $defs, definitions, $schema: _dialect, $id: _id, ...one } = led;
  // What refers to itself, or into itself, must be a definition: those can be referred to from everywhere.
  const defs = isReferredTo ? { ...($defs as JsonObject | undefined), [name]: one } : $defs;
  return {
    type: 'object',
    properties: { [RECORDS]: { type: 'array', items: isReferredTo ? { $ref: `#/$defs/${name}` } : one } },
    required: [RECORDS],
    additionalProperties: false,
    ...(defs === undefined ? {} : { $defs: defs }),
    ...(definitions === undefined ? {} : { definitions }),
  };
}

function freeName(taken: JsonObject): string {
  let name = 'record';
  while (Object.hasOwn(taken, name)) name += '_';
  return name;
}

/** A copy of the schema in which each reference is what `rewrite` makes of it. As deep as the schema, which was checked. */
function withReferences(schema: unknown, rewrite: (reference: string) => string): unknown {
  if (!isJsonObject(schema)) return schema;
  if (typeof schema.$ref === 'string') return { ...schema, $ref: rewrite(schema.$ref) };
  const inside = (inner: unknown) => withReferences(inner, rewrite);
  const copy: JsonObject = { ...schema };
  for (const keyword of ['properties', '$defs', 'definitions']) {
    const inner = schema[keyword];
    if (!isJsonObject(inner)) continue;
    copy[keyword] = Object.fromEntries(Object.entries(inner).map(([name, value]) => [name, inside(value)]));
  }
  if (schema.items !== undefined) copy.items = inside(schema.items);
  if (Array.isArray(schema.anyOf)) copy.anyOf = schema.anyOf.map(inside);
  return copy;
}
