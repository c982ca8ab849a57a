/**
 * An image in a data URI is what it says it is: base64, of a type that OpenAI takes, begun by that type's own bytes, and
 * no larger than OpenAI takes. Only its first bytes are decoded; the rest is counted, and read once for its alphabet.
 */
import { InvalidRequestError } from './errors.ts';

/** Decoded. OpenAI's limit of one image has been 20 MB; its limit of a request's payload is 50 MB (MAX_IMAGES_BYTES). */
export const MAX_IMAGE_BYTES = 20 * 1024 * 1024;

/** How a file of each type begins, in hexadecimal. */
const SIGNATURES: readonly (readonly [type: string, begins: RegExp])[] = [
  ['image/jpeg', /^ffd8ff/],
  ['image/png', /^89504e470d0a1a0a/],
  // RIFF, a length, WEBP.
  ['image/webp', /^52494646.{8}57454250/],
  // GIF87a, GIF89a.
  ['image/gif', /^47494638(?:37|39)61/],
];
const TYPES = SIGNATURES.map(([type]) => type);
const TYPES_TEXT = `${TYPES.slice(0, -1).join(', ')} or ${TYPES.at(-1)}`;

/** Base64 of the 12 bytes that the longest signature takes. */
const SIGNATURE_CHARACTERS = 16;
/** Type and parameters before the comma; a longer beginning is none. */
const MAX_HEADER_CHARACTERS = 256;
const MAX_SHOWN_CHARACTERS = 64;

export function isDataUri(url: string): boolean {
  return /^data:/i.test(url);
}

/**
 * @param path of the data URI in what the caller sent
 * @returns the image's size in bytes
 * @throws InvalidRequestError with the code OpenAI has for it; its message repeats nothing of the data
 */
export function checkImageData(url: string, path: string): number {
  const comma = url.indexOf(',');
  const header = comma === -1 || comma > MAX_HEADER_CHARACTERS ? '' : url.slice('data:'.length, comma);
  const [declared = '', ...parameters] = header.toLowerCase().split(';');
  if (parameters.at(-1) !== 'base64') {
    throw refused(path, 'it is a data URI without base64. Send data:image/png;base64,…', 'invalid_base64_image');
  }
  // No registered type, but what many clients call a JPEG, and OpenAI takes.
  const type = declared === 'image/jpg' ? 'image/jpeg' : declared;
  if (!TYPES.includes(type)) {
    const named = declared === '' ? 'no type' : `'${declared.slice(0, MAX_SHOWN_CHARACTERS)}'`;
    throw refused(path, `it declares ${named}. An image is ${TYPES_TEXT}`, 'unsupported_image_media_type');
  }
  const bytes = decodedBytes(url, comma + 1, path);
  checkSignature(url.slice(comma + 1, comma + 1 + SIGNATURE_CHARACTERS), declared, type, path);
  return bytes;
}

/** The size tells first, so that what is too large is not read. */
function decodedBytes(url: string, from: number, path: string): number {
  const characters = url.length - from;
  if (characters === 0) throw refused(path, 'it is a data URI without data', 'invalid_base64_image');
  const padding = url.endsWith('==') ? 2 : url.endsWith('=') ? 1 : 0;
  const bytes = Math.floor(characters / 4) * 3 - padding;
  if (bytes > MAX_IMAGE_BYTES) {
    throw refused(
      path,
      `the image has ${bytes} bytes, and may have ${MAX_IMAGE_BYTES} (${MAX_IMAGE_BYTES / 1024 / 1024} MiB). Make it smaller, or send its URL or a file id`,
      'image_too_large',
    );
  }
  // One class and no repetition: it looks at each character once, whatever they are.
  const foreign = /[^A-Za-z0-9+/]/g;
  foreign.lastIndex = from;
  const at = foreign.exec(url)?.index ?? url.length;
  if (at < url.length - padding) {
    throw refused(
      path,
      `its data is no base64: character ${at - from + 1} is not of A-Z, a-z, 0-9, + and /. Base64 has no line breaks, and here not the alphabet of URLs`,
      'invalid_base64_image',
    );
  }
  if (characters % 4 !== 0 || bytes < 1) {
    throw refused(
      path,
      `its data is no base64: it has ${characters} characters, which is no multiple of 4. It was cut off, or its padding (=) is missing`,
      'invalid_base64_image',
    );
  }
  return bytes;
}

function checkSignature(start: string, declared: string, type: string, path: string): void {
  const bytes = Buffer.from(start, 'base64').toString('hex');
  const [found] = SIGNATURES.find(([, begins]) => begins.test(bytes)) ?? [];
  if (found === type) return;
  throw refused(
    path,
    found === undefined
      ? `it is declared as ${declared}, but its bytes are not that, nor ${TYPES_TEXT}`
      : `it is declared as ${declared}, but its bytes are not that: they are ${found}. Declare it as that`,
    'invalid_image_format',
  );
}

function refused(path: string, problem: string, code: string): InvalidRequestError {
  return new InvalidRequestError(`Invalid '${path}': ${problem}.`, path, code);
}
