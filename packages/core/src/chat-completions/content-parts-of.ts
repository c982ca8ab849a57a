/** Content parts in the Responses API's names. What a part carries beside them goes along: the upstream judges it. */

import {
  invalidType,
  invalidValue,
  type JsonObject,
  missingParameter,
  pathTo,
  supportedValues,
} from '../responses-request-fault.ts';
import { requireObject, requireObjectIn, requireStringIn } from './require-field.ts';

const SENT_TYPES = ['text', 'image_url', 'input_audio', 'file'];
const ANSWERED_TYPES = ['text', 'refusal'];

/** What OpenAI takes an image's `detail` to be where none is given; the Responses API wants it written. */
const DEFAULT_DETAIL = 'auto';

/**
 * The content of a message to the model, or of a tool's answer.
 *
 * @throws InvalidRequestError for the first part that is malformed; `path` is that of the content.
 */
export function sentContentOf(content: unknown, path: string): string | JsonObject[] {
  return contentOf(content, path, sentPartOf);
}

/**
 * The content of a message the model had answered.
 *
 * @throws InvalidRequestError for the first part that is malformed; `path` is that of the content.
 */
export function answeredContentOf(content: unknown, path: string): string | JsonObject[] {
  return contentOf(content, path, answeredPartOf);
}

function contentOf(
  content: unknown,
  path: string,
  partOf: (part: JsonObject, path: string) => JsonObject,
): string | JsonObject[] {
  if (typeof content === 'string') return content;
  if (content === undefined) throw missingParameter(path);
  if (!Array.isArray(content)) throw invalidType(path, 'a string or an array of objects', content);
  return content.map((part: unknown, index) => {
    const partPath = pathTo(path, index);
    return partOf(requireObject(part, partPath), partPath);
  });
}

function sentPartOf(part: JsonObject, path: string): JsonObject {
  const type = requireStringIn(part, 'type', path);
  switch (type) {
    case 'text':
      return { ...part, type: 'input_text', text: requireStringIn(part, 'text', path) };
    case 'image_url':
      return { ...part, ...imageOf(part, path), type: 'input_image' };
    case 'input_audio':
      return { ...part, input_audio: requireObjectIn(part, 'input_audio', path) };
    case 'file': {
      const { file: _file, ...rest } = part;
      return { ...rest, ...requireObjectIn(part, 'file', path), type: 'input_file' };
    }
    default:
      throw invalidValue(pathTo(path, 'type'), type, supportedValues(SENT_TYPES));
  }
}

/** `{url, detail}`; a bare URL, as some clients send it, is the same. */
function imageOf(part: JsonObject, path: string): JsonObject {
  if (typeof part.image_url === 'string') return { image_url: part.image_url, detail: DEFAULT_DETAIL };
  const image = requireObjectIn(part, 'image_url', path);
  return {
    image_url: requireStringIn(image, 'url', pathTo(path, 'image_url')),
    detail: image.detail ?? DEFAULT_DETAIL,
  };
}

function answeredPartOf(part: JsonObject, path: string): JsonObject {
  const type = requireStringIn(part, 'type', path);
  switch (type) {
    case 'text':
      return { type: 'output_text', text: requireStringIn(part, 'text', path), annotations: [] };
    case 'refusal':
      return { type: 'refusal', refusal: requireStringIn(part, 'refusal', path) };
    default:
      throw invalidValue(pathTo(path, 'type'), type, supportedValues(ANSWERED_TYPES));
  }
}
