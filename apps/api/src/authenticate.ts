/** Who calls: the bearer's key among the configured ones. With no keys configured anybody on this machine may. */
import { AccessError, ANYBODY, type ApiKey, keyFinder, requireOperator } from '@millrace/core';
import type { Request, RequestHandler } from 'express';

const callers = new WeakMap<Request, ApiKey>();

/** The caller's name, to whom idempotency keys belong. */
export function callerName(request: Request): string {
  return keyName(request) ?? ANYBODY;
}

/** The name of the key it came with, whose the jobs that it makes are; null where keys are not asked for. */
export function keyName(request: Request): string | null {
  return callers.get(request)?.name ?? null;
}

/** Whether the caller may change things, and see secrets. */
export function isOperator(request: Request): boolean {
  return callers.get(request)?.role !== 'viewer';
}

/** Refuses what comes without a known key, and what a viewer may not do. */
export function authenticate(keys: readonly ApiKey[]): RequestHandler {
  const find = keyFinder(keys);
  return (request, _response, next) => {
    if (keys.length === 0) return next();
    const [, secret] = /^Bearer\s+(\S+)\s*$/i.exec(request.headers.authorization ?? '') ?? [];
    if (secret === undefined) {
      return next(
        new AccessError(401, 'No API key was given. Send it as Authorization: Bearer <key>.', 'missing_api_key'),
      );
    }
    const key = find(secret);
    if (key === null) return next(new AccessError(401, 'The API key is not known here.', 'invalid_api_key'));
    callers.set(request, key);
    if (request.method !== 'GET' && request.method !== 'HEAD') requireOperator(key);
    next();
  };
}
