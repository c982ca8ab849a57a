/**
 * An image's URL leads to where anybody may look. The upstream fetches it: from there our private addresses cannot be
 * reached, or, where the upstream is one of our own, must not be probed on a caller's behalf. No DNS is asked.
 */
import ipaddr from 'ipaddr.js';
import { InvalidRequestError } from './errors.ts';
import { isCallable, readHttpUrl } from './public-address.ts';

/** Names that are resolved inside of a machine or a network only; so is one without a dot. */
const PRIVATE_NAME = /(?:^|\.)(?:localhost|localdomain|internal|local)$|^[^.]*$/;

const REMEDY = 'Send a public URL, a data URI (data:image/png;base64,…) or a file id';

/**
 * @param path of the URL in what the caller sent
 * @throws InvalidRequestError
 */
export function checkImageUrl(url: string, path: string): void {
  const refused = (problem: string): InvalidRequestError =>
    new InvalidRequestError(`Invalid '${path}': ${problem}.`, path, 'invalid_image_url');
  // What parsers of URLs disagree about (http:host, a backslash) would lead the upstream elsewhere than we looked.
  const read = /^https?:\/\/[^\\]+$/i.test(url) ? readHttpUrl(url) : null;
  if (read === null) throw refused(`it is no http:// or https:// URL. ${REMEDY}`);
  const { host, credentials } = read;
  if (credentials) throw refused(`it holds credentials, which would be given to the upstream. ${REMEDY}`);
  const isAddress = ipaddr.isValid(host);
  if (isAddress ? isCallable(host, []) : !PRIVATE_NAME.test(host)) return;
  throw refused(
    `it leads to ${isAddress ? host : `'${host.slice(0, 80)}'`}, which is no public address. The upstream fetches the image, and cannot, or must not, reach it there. ${REMEDY}`,
  );
}
