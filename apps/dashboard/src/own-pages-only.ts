/** Where a request comes from, as browsers say it; whatever is no browser says nothing, and must show a token or a key. */
import { AccessError } from '@millrace/core';
import type { Request, RequestHandler } from 'express';

/**
 * False for what a browser sends for another site's page. Browsers leave Sec-Fetch-Site out where the dashboard is
 * neither https nor localhost: then Origin must be the name that we are called by, also before a proxy. A strange page
 * can set none of these headers.
 */
export function isFromOwnPage(request: Request): boolean {
  const site = request.get('sec-fetch-site');
  if (site !== undefined) return site === 'same-origin';
  const origin = request.get('origin');
  if (origin === undefined) return true;
  const host = URL.parse(origin)?.host;
  return host !== undefined && [request.get('host'), request.get('x-forwarded-host')].includes(host);
}

/**
 * Live figures are for our own pages: any web page can open a stream it cannot read, and take every viewer's place.
 * Signing in is for them too: nobody is to be signed in, unknowing, with a stranger's key.
 */
export const ownPagesOnly: RequestHandler = (request, _response, next) => {
  next(
    isFromOwnPage(request)
      ? undefined
      : new AccessError(403, 'This is for the dashboard’s own pages only.', 'cross_site'),
  );
};
