/** How errors are told: as JSON in the house's shape; to a browser that wanted a page, as plain words. */
import {
  errorBody,
  InvalidRequestError,
  isAnswerable,
  type Log,
  NotFoundError,
  ShedError,
  TooLargeError,
} from '@millrace/core';
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';

/** bull-board is for looking: whatever would change something is refused. */
export const readOnly: RequestHandler = (request, response, next) => {
  if (request.method === 'GET' || request.method === 'HEAD') return next();
  response
    .status(405)
    .set('allow', 'GET, HEAD')
    .json({
      error: {
        message:
          'bull-board is read-only here: its buttons would go around the job record. Use the pages of the dashboard, or the API.',
        type: 'invalid_request_error',
        param: null,
        code: 'read_only',
      },
    });
};

export const notFound: RequestHandler = (request) => {
  throw new NotFoundError(
    `There is no page at ${`${request.baseUrl}${request.path}`.slice(0, 200)}.`,
    null,
    'unknown_url',
  );
};

/** The last handler of the app. */
export function errorHandler(log: Log): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    if (response.headersSent) {
      // The answer has begun: all that can still be said is that it does not end well.
      response.destroy();
      return;
    }
    const known = isAnswerable(error) ? error : translate(error);
    if (known === null) log.error({ err: error, route: request.route?.path }, 'a page failed by a fault of ours');
    send(request, response, known ?? FAULT);
  };
}

/** A fault of ours: the details are for the log. */
const FAULT = { status: 500, message: 'The dashboard had a fault. It is in its log.', code: 'internal_error' };

/**
 * Express's own refusals, and its body parser's: those hold the body that they refuse, which may be a key, and must
 * never reach a log.
 */
function translate(error: unknown): InvalidRequestError | null {
  if (error instanceof URIError) {
    return new InvalidRequestError('The address is not UTF-8 in percent-encoding.', null, 'invalid_url');
  }
  const { type, status, limit } = (error ?? {}) as { type?: unknown; status?: unknown; limit?: unknown };
  if (type === 'entity.too.large') return new TooLargeError(`The body must have at most ${limit} bytes.`);
  if (type === 'entity.parse.failed')
    return new InvalidRequestError('The body must be a JSON object.', null, 'invalid_json');
  if (typeof type === 'string')
    return new InvalidRequestError('The body could not be read: send JSON in UTF-8.', null, 'unreadable_body');
  return status === 400 || status === 404
    ? new NotFoundError('There is no page at this address.', null, 'unknown_url')
    : null;
}

function send(request: Request, response: Response, error: InvalidRequestError | ShedError | typeof FAULT): void {
  response.status(error.status);
  if (error.status === 401) response.set('www-authenticate', 'Bearer realm="Millrace"');
  if (error instanceof ShedError) response.set('retry-after', String(error.retryAfterSeconds));
  if (wantsPage(request)) {
    response.type('text').send(`${error.message}\n`);
    return;
  }
  response.json(
    isAnswerable(error)
      ? errorBody(error)
      : { error: { message: error.message, type: 'server_error', param: null, code: error.code } },
  );
}

function wantsPage(request: Request): boolean {
  return (
    !request.originalUrl.startsWith('/api/') &&
    !request.originalUrl.startsWith('/board/api/') &&
    request.accepts(['json', 'html']) === 'html'
  );
}
