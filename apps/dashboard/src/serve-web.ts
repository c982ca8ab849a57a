/** Serves the built pages: every address that is no file is the one page, whose script finds out what to show. */
import type { RequestHandler } from 'express';
import sirv from 'sirv';
import type { Web } from './build-web.ts';

/** Of files whose names hold a hash of their content. */
const ASSETS = /^\/assets\//;

export function serveWeb({ folder }: Web): RequestHandler {
  const serve = sirv(folder, {
    gzip: true,
    single: true,
    etag: true,
    setHeaders: (response, path) => {
      response.setHeader('cache-control', ASSETS.test(path) ? 'private, max-age=31536000, immutable' : 'no-cache');
    },
  });
  return (request, response, next) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return next();
    serve(request, response, next);
  };
}
