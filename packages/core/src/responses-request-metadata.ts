/**
 * Metadata obeys OpenAI's rule, the same for a response and for a job: at most 16 pairs of strings.
 * Source: the description of `metadata` in the API reference.
 */

import * as z from 'zod';
import { InvalidRequestError } from './errors.ts';
import { pathTo } from './responses-request-fault.ts';

const MAX_METADATA_PAIRS = 16;
const MAX_METADATA_KEY_CHARACTERS = 64;
const MAX_METADATA_VALUE_CHARACTERS = 512;

/** Shape only; the bounds are in checkMetadataBounds, whose messages zod cannot say. */
export const Metadata = z.record(z.string(), z.string());
export type Metadata = z.infer<typeof Metadata>;

/**
 * @param path of the metadata in what the caller sent.
 * @throws InvalidRequestError with OpenAI's code for the bound that is broken.
 */
export function checkMetadataBounds(metadata: Metadata, path: string): void {
  const pairs = Object.entries(metadata);
  if (pairs.length > MAX_METADATA_PAIRS) {
    throw new InvalidRequestError(
      `Invalid '${path}': too many properties. Expected an object with at most ${MAX_METADATA_PAIRS} properties, but got an object with ${pairs.length} properties instead.`,
      path,
      'object_above_max_properties',
    );
  }
  for (const [key, value] of pairs) {
    if (isLongerThan(key, MAX_METADATA_KEY_CHARACTERS)) {
      const start = `${key.slice(0, MAX_METADATA_KEY_CHARACTERS)}…`;
      throw tooLong(path, `Its key '${start}' may have at most ${MAX_METADATA_KEY_CHARACTERS} characters.`);
    }
    if (isLongerThan(value, MAX_METADATA_VALUE_CHARACTERS)) {
      throw tooLong(pathTo(path, key), `A value may have at most ${MAX_METADATA_VALUE_CHARACTERS} characters.`);
    }
  }
}

/**
 * Metadata of something that is no response.
 * @throws InvalidRequestError
 */
export function parseMetadata(value: unknown, path: string): Metadata | null {
  if (value === undefined || value === null) return null;
  const parsed = Metadata.safeParse(value);
  if (!parsed.success) {
    throw new InvalidRequestError(`Invalid '${path}': expected an object of strings.`, path, 'invalid_type');
  }
  checkMetadataBounds(parsed.data, path);
  return parsed.data;
}

function tooLong(path: string, bound: string): InvalidRequestError {
  return new InvalidRequestError(`Invalid '${path}': string too long. ${bound}`, path, 'string_above_max_length');
}

/** Characters are code points: an emoji is one, though JavaScript counts two. */
function isLongerThan(text: string, characters: number): boolean {
  if (text.length <= characters) return false;
  if (text.length > characters * 2) return true;
  return Array.from(text).length > characters;
}
