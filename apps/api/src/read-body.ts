/** Reads a JSON body: bounded in bytes and time, decompressed within the same bound, checked before anything sees it. */
import { InvalidRequestError, parseGuardedJson } from '@millrace/core';
import { type NextFunction, type Request, type Response, raw } from 'express';
import { BODY_MS, DISCARD_BYTES, MAX_REQUEST_BYTES } from './bounds.ts';

const readRaw = raw({ type: () => true, limit: MAX_REQUEST_BYTES });

/** Middleware for routes that take one JSON value; the parsed value is `request.body`. */
export function jsonBody(request: Request, response: Response, next: NextFunction): void {
  const type = request.headers['content-type'];
  if (type !== undefined && !/^application\/json\b/i.test(type)) {
    discard(request);
    next(
      new InvalidRequestError(
        `Content-Type must be application/json, not '${type.slice(0, 80)}'.`,
        null,
        'unsupported_media_type',
      ),
    );
    return;
  }
  const timer = setTimeout(() => request.destroy(), BODY_MS);
  readRaw(request, response, (error?: unknown) => {
    clearTimeout(timer);
    if (error !== undefined) {
      discard(request);
      return next(error);
    }
    try {
      const bytes: unknown = request.body;
      request.body = parseGuardedJson(Buffer.isBuffer(bytes) ? utf8(bytes) : '');
      next();
    } catch (fault) {
      next(fault);
    }
  });
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/** @throws InvalidRequestError when the bytes are no UTF-8: they would be stored as something else than was sent. */
export function utf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new InvalidRequestError('The body is not valid UTF-8.', null, 'bad_encoding');
  }
}

/**
 * Lets the client finish sending what nobody will read, within a bound: one that is cut off while it still sends sees
 * a broken pipe instead of the answer.
 */
export function discard(request: Request): void {
  let bytes = 0;
  request.unpipe();
  request.removeAllListeners('data');
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > DISCARD_BYTES) request.destroy();
  });
  const timer = setTimeout(() => request.destroy(), BODY_MS);
  request.on('close', () => clearTimeout(timer));
  request.on('end', () => clearTimeout(timer));
  request.on('error', () => clearTimeout(timer));
  request.resume();
}
