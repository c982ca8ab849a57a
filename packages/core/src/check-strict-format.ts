/** A schema that strict mode would refuse is refused before its request waits in a queue to be refused there. */
import { InvalidRequestError } from './errors.ts';
import { isJsonObject, pathTo } from './responses-request-fault.ts';
import { checkStrictSchema } from './strict-schema.ts';

/**
 * @param format an object that may have `strict` and a `schema`
 * @param at path of `format` in what the caller sent
 * @throws InvalidRequestError (`invalid_json_schema`); `param` is the path of what is refused
 */
export function checkStrictFormat(format: unknown, at: string): void {
  if (!isJsonObject(format) || format.strict !== true) return;
  const found = checkStrictSchema(format.schema);
  if (found === null) return;
  const schema = pathTo(at, 'schema');
  const path = found.path === '' ? schema : pathTo(schema, found.path);
  throw new InvalidRequestError(`Invalid schema for ${at}: '${path}' ${found.problem}.`, path, 'invalid_json_schema');
}
