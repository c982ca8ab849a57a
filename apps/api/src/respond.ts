/** Errors become answers in OpenAI's shape. What is not ours to explain is a 500 without details, and a log line. */
import { errorBody, InvalidRequestError, isAnswerable, type Log, ShedError, TooLargeError } from '@millrace/core';
import type { ErrorRequestHandler, Response } from 'express';
import { MAX_REQUEST_BYTES } from './bounds.ts';

/** The last handler of the app. */
export function errorHandler(log: Log): ErrorRequestHandler {
  // Express tells an error handler by its four parameters.
  return (error: unknown, request, response, _next) => {
    // The client is gone, or the answer has begun: all that can still be said is that it does not end well.
    if (request.socket.destroyed || response.headersSent) {
      response.destroy();
      return;
    }
    const known = translate(error);
    if (known !== null) return sendError(response, known);
    log.error(
      { err: error, method: request.method, route: request.route?.path },
      'a request failed by a fault of ours',
    );
    response.status(500).json({
      error: {
        message: 'The server had a fault. It is in the log.',
        type: 'server_error',
        param: null,
        code: 'internal_error',
      },
    });
  };
}

export function sendError(response: Response, error: InvalidRequestError | ShedError): void {
  if (error instanceof ShedError) response.set('retry-after', String(error.retryAfterSeconds));
  if (error instanceof TooLargeError) response.set('connection', 'close');
  response.status(error.status).json(errorBody(error));
}

/** Ours as they are; the body parser's by their type; null for what is no caller's mistake. */
export function translate(error: unknown): InvalidRequestError | ShedError | null {
  if (isAnswerable(error)) return error;
  const type = (error as { type?: unknown } | null)?.type;
  switch (type) {
    case 'entity.too.large':
      return tooLarge('The body');
    case 'encoding.unsupported':
      return new InvalidRequestError(
        'Content-Encoding must be gzip, deflate, br or absent.',
        null,
        'unsupported_encoding',
      );
    case 'request.size.invalid':
    case 'request.aborted':
      return new InvalidRequestError('The body ended before its Content-Length.', null, 'incomplete_body');
    default:
      break;
  }
  if (String((error as { code?: unknown } | null)?.code).startsWith('Z_')) {
    return new InvalidRequestError('The body could not be decompressed.', null, 'bad_encoding');
  }
  if (error instanceof URIError) return new InvalidRequestError('The path is not well-formed.', null, 'bad_path');
  return null;
}

export function tooLarge(what: string): TooLargeError {
  return new TooLargeError(
    `${what} is larger than ${MAX_REQUEST_BYTES / 1024 / 1024} MiB (after decompression). ` +
      'Send images and other large inputs by URL or file id (a data URI is a third larger than its image), or split the request.',
  );
}
