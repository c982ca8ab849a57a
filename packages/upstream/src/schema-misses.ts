/** Where a value misses a schema, for who looks at it later: by the very check that its answer was read with. */
import type { Miss } from '@millrace/core';
import { schemaValidator } from './schema-validator.ts';

/**
 * @param chars length of the text that the value was read from
 * @returns its misses, at most 20; or why the schema cannot be checked by
 */
export function schemaMisses(
  schema: Readonly<Record<string, unknown>>,
  value: unknown,
  chars: number,
): Miss[] | { fault: string } {
  const validator = schemaValidator(schema);
  return 'fault' in validator ? validator : validator.misses(value, chars);
}
