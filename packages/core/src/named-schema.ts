/** A schema of the configuration, ready for use: JSON Schema for the wire, and the zod type where it came as one. */
import { z } from 'zod';
import { checkStrictSchema, SCHEMA_NAME_PATTERN } from './strict-schema.ts';

export interface NamedSchema {
  name: string;
  jsonSchema: Record<string, unknown>;
  /** Present when the configuration gave zod: answers are then validated by it, refinements included. */
  zod?: z.ZodType;
}

/** Takes a zod object or a JSON Schema; answers the schema, or the fault as what follows `schemas.<name>` in a message. */
export function namedSchema(name: string, definition: unknown): NamedSchema | { fault: string } {
  if (!SCHEMA_NAME_PATTERN.test(name)) return { fault: ': the name may hold letters, digits, "_" and "-", at most 64' };
  const zod = definition instanceof z.ZodType ? definition : undefined;
  const converted = zod === undefined ? { schema: definition } : toJsonSchema(zod);
  if ('fault' in converted) return converted;
  const problem = checkStrictSchema(converted.schema);
  if (problem !== null) return { fault: `${problem.path === '' ? '' : `.${problem.path}`}: ${problem.problem}` };
  const jsonSchema = converted.schema as Record<string, unknown>;
  return zod === undefined ? { name, jsonSchema } : { name, jsonSchema, zod };
}

function toJsonSchema(zod: z.ZodType): { schema: unknown } | { fault: string } {
  try {
    const { $schema: _dialect, ...schema } = z.toJSONSchema(zod);
    return { schema };
  } catch (error) {
    return { fault: `: ${error instanceof Error ? error.message : String(error)}` };
  }
}
