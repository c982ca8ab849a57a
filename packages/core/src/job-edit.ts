/** What of a job is to be otherwise when it is done again: each field that is there replaces the job's own. */
import * as z from 'zod';
import { InvalidRequestError } from './errors.ts';
import { firstFault, invalidType, isJsonObject, pathTo, unknownParameter } from './responses-request-fault.ts';

const maybe = z.exactOptional;

const Edit = z.object({
  model: maybe(z.string().min(1)),
  /** '': none. */
  instructions: maybe(z.string()),
  /** In its instructions, its texts and its document, wherever it stands. */
  replace: maybe(z.object({ find: z.string().min(1), with: z.string() })),
  /** Of a generate job, as its request has it; the document of an extraction. */
  input: maybe(
    z.custom<string | unknown[]>((value) => typeof value === 'string' || Array.isArray(value), 'a text or an array'),
  ),
  /** null: none. */
  max_output_tokens: maybe(z.int().min(1).nullable()),
  /** Of an extraction, as it is submitted; a generate job has one that is sent along. */
  schema: maybe(
    z.custom<string | { name: string; schema: Record<string, unknown> }>(
      (value) => typeof value === 'string' || isJsonObject(value),
      'a string or an object',
    ),
  ),
});
export type JobEdit = z.infer<typeof Edit>;

/**
 * Accepts an edit as it was sent, or refuses it. Whether it fits its job is for `editedJob` to say.
 * @param at the field that it is of; '': it is the whole body
 * @throws InvalidRequestError for the first fault found
 */
export function parseJobEdit(body: unknown, at = ''): JobEdit {
  if (!isJsonObject(body)) throw invalidType(at, 'an object', body);
  for (const field of Object.keys(body)) {
    if (!Object.hasOwn(Edit.shape, field)) throw unknownParameter(pathTo(at, field));
  }
  const parsed = Edit.safeParse(body);
  if (!parsed.success) throw firstFault(parsed.error, body, at);
  if (Object.keys(body).length === 0) {
    throw new InvalidRequestError('Nothing is to be otherwise: retry the job as it was.', at || null, 'invalid_value');
  }
  return parsed.data;
}
