/**
 * Every image of a request is one that can be taken, or is refused by its path before anything is stored. What counts for all of a request together is counted here.
 */
import { checkImageData, isDataUri } from './check-image-data.ts';
import { checkImageUrl } from './check-image-url.ts';
import { InvalidRequestError } from './errors.ts';
import { imagesOf, objectsOf } from './images-of.ts';
import {
  invalidType,
  invalidValue,
  isJsonObject,
  type JsonObject,
  missingParameter,
  pathTo,
  supportedValues,
} from './responses-request-fault.ts';

/** OpenAI's documented limits of one request: 500 images, and 50 MB of payload, here of the images in data URIs. */
export const MAX_IMAGES = 500;
export const MAX_IMAGES_BYTES = 50 * 1024 * 1024;

/** The SDK's ImageDetail. */
const DETAILS: readonly unknown[] = ['low', 'high', 'auto', 'original'];

/** Where URL and detail stand in what holds an image; `url: null`: it is the URL. */
interface Fields {
  url: string | null;
  detail: string;
}
const PART: Fields = { url: 'image_url', detail: 'detail' };
const CHAT_PART: Fields = { url: 'image_url.url', detail: 'image_url.detail' };
const BARE_URL: Fields = { url: null, detail: 'detail' };

interface Image {
  image_url?: unknown;
  file_id?: unknown;
  detail?: unknown;
}
type CheckImage = (image: Image, path: string, fields?: Fields) => void;

/**
 * The images of a Responses request whose items and tools have the shape of such.
 * @param at path of `request` in what the caller sent; empty for the whole
 * @throws InvalidRequestError for the first that is refused
 */
export function checkImages(request: JsonObject, at: string): void {
  const check = openCheck();
  for (const [image, path] of imagesOf(request, at)) check(image, path);
}

/**
 * The images of Chat Completions messages that were found to be well-formed.
 * @throws InvalidRequestError for the first that is refused; `path` is that of the list
 */
export function checkChatImages(messages: readonly unknown[], path: string): void {
  const check = openCheck();
  for (const [message, messagePath] of objectsOf(messages, path)) {
    for (const [part, partPath] of objectsOf(message.content, pathTo(messagePath, 'content'))) {
      if (part.type !== 'image_url') continue;
      // `{url, detail}`, or the bare URL.
      if (!isJsonObject(part.image_url)) check(part, partPath);
      else check({ ...part, image_url: part.image_url.url, detail: part.image_url.detail }, partPath, CHAT_PART);
    }
  }
}

/**
 * A bare list of URLs and data URIs.
 * @throws InvalidRequestError for the first that is refused; `path` is that of the list
 */
export function checkImageList(images: readonly string[], path: string): void {
  const check = openCheck();
  for (const [index, image] of images.entries()) check({ image_url: image }, pathTo(path, index), BARE_URL);
}

/** Checks images one after another, and what they come to together. */
function openCheck(): CheckImage {
  let count = 0;
  let bytes = 0;
  return (image, path, fields = PART) => {
    const urlPath = fields.url === null ? path : pathTo(path, fields.url);
    count += 1;
    if (count > MAX_IMAGES) {
      throw new InvalidRequestError(
        `Invalid '${urlPath}': a request may have ${MAX_IMAGES} images, and this is one more. Split the request.`,
        urlPath,
        'too_many_images',
      );
    }
    checkDetail(image.detail, pathTo(path, fields.detail));
    const url = urlOf(image, urlPath, pathTo(path, 'file_id'));
    if (url === null) return;
    if (!isDataUri(url)) return checkImageUrl(url, urlPath);
    bytes += checkImageData(url, urlPath);
    if (bytes > MAX_IMAGES_BYTES) {
      throw new InvalidRequestError(
        `Invalid '${urlPath}': the images up to this one have ${bytes} bytes together, and a request's may have ${MAX_IMAGES_BYTES} (${MAX_IMAGES_BYTES / 1024 / 1024} MiB). Send some of them by URL or file id, or split the request.`,
        urlPath,
        'image_too_large',
      );
    }
  };
}

function checkDetail(detail: unknown, path: string): void {
  if (detail == null || DETAILS.includes(detail)) return;
  if (typeof detail !== 'string') throw invalidType(path, 'a string', detail);
  throw invalidValue(path, detail, supportedValues(DETAILS));
}

/** Null: it is a file that was uploaded. */
function urlOf({ image_url: url, file_id: file }: Image, urlPath: string, filePath: string): string | null {
  if (url != null && typeof url !== 'string') throw invalidType(urlPath, 'a string', url);
  if (file != null && typeof file !== 'string') throw invalidType(filePath, 'a string', file);
  if (url != null && file != null) {
    throw new InvalidRequestError(
      `Mutually exclusive parameters: '${urlPath}' and '${filePath}'. Send one of them.`,
      urlPath,
      'mutually_exclusive_parameters',
    );
  }
  if (url == null && file == null) {
    throw missingParameter(urlPath, "An image is its 'image_url' (a URL or a data URI) or the 'file_id' of an upload.");
  }
  return url ?? null;
}
