/** Live figures are for our own pages: any web page can open a stream it cannot read, and take every viewer's place. */
import { AccessError } from '@millrace/core';
import type { RequestHandler } from 'express';

export const ownPagesOnly: RequestHandler = (request, _response, next) => {
  const site = request.get('sec-fetch-site');
  if (site === undefined || site === 'same-origin') return next();
  next(new AccessError(403, 'The live figures are for the dashboard’s own pages.', 'cross_site'));
};
