/** Who looks: HTTP Basic, with the secret of any configured key as the password. The user name is not looked at. */
import { AccessError, type ApiKey, keyFinder } from '@millrace/core';
import type { RequestHandler } from 'express';

/** The password of a Basic authorization, or null when there is none. */
export function basicPassword(authorization: string | undefined): string | null {
  const [, encoded] = /^Basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(authorization ?? '') ?? [];
  if (encoded === undefined) return null;
  const credentials = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = credentials.indexOf(':');
  return colon < 0 ? null : credentials.slice(colon + 1);
}

/** Refuses what comes without a known key. A viewer's key is enough: all there is here is looking. */
export function authenticate(keys: readonly ApiKey[]): RequestHandler {
  const find = keyFinder(keys);
  return (request, _response, next) => {
    const password = basicPassword(request.headers.authorization);
    if (password === null) {
      return next(
        new AccessError(
          401,
          'A key is needed: give any user name, and as the password the secret of one of the MILLRACE_API_KEYS.',
          'missing_api_key',
        ),
      );
    }
    if (find(password) === null) return next(new AccessError(401, 'The key is not known here.', 'invalid_api_key'));
    next();
  };
}
