/** How much of a request is there to be read: of images it counts what a model makes of them, not the length of their data. */
import { isDataUri } from './check-image-data.ts';
import { imagesOf } from './images-of.ts';
import type { ExtractBody, ResponsesBody } from './job.ts';

/** About a thousand tokens: a picture of a megapixel, give or take the model. */
const CHARACTERS_OF_AN_IMAGE = 4000;

/** @param characters of the body as JSON */
export function readableCharacters(body: ResponsesBody | ExtractBody, characters: number): number {
  const { images } = body as ExtractBody;
  const urls = Array.isArray(images)
    ? images
    : Array.from(imagesOf(body as ResponsesBody, ''), ([{ image_url }]) => image_url);
  return urls.reduce<number>((sum, url) => {
    // Base64 is as long in JSON as it is.
    const data = typeof url === 'string' && isDataUri(url) ? url.length : 0;
    return sum - data + CHARACTERS_OF_AN_IMAGE;
  }, characters);
}
