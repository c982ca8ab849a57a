/** What a browser may do with our pages: run our own scripts, use our own style sheets, and load nothing from anywhere else. */
import type { RequestHandler } from 'express';

const PAGES_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  // Images of prompts come with them; one that is elsewhere is linked, as loading it would tell its server of the look.
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * bull-board's own page: it names its folder in a <base>, draws with inline styles, and asks for a web font elsewhere,
 * which is refused. Its scripts are files, so no inline script runs there either.
 */
const BOARD_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** For everything: never sniffed, never framed, never embedded elsewhere, and no address leaks to a linked page. */
export const securityHeaders: RequestHandler = (_request, response, next) => {
  response.set({
    'content-security-policy': PAGES_POLICY,
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    // Prompts and answers do not belong into a cache on disk. Static files say otherwise for themselves.
    'cache-control': 'no-store',
  });
  next();
};

/** For what is below /board. */
export const boardHeaders: RequestHandler = (_request, response, next) => {
  response.set('content-security-policy', BOARD_POLICY);
  next();
};
