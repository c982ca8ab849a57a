/**
 * Without keys the dashboard is this machine's own: a request must name it by a loopback name. A web page of a stranger
 * whose DNS name was pointed at 127.0.0.1 (DNS rebinding) sends that name, and is refused.
 */
import { AccessError } from '@millrace/core';
import type { RequestHandler } from 'express';

/** True for localhost, 127.0.0.0/8 and [::1], with or without a port. */
export function isLoopbackHost(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i.test(host);
}

/** Refuses requests whose Host header is not a loopback name. */
export const loopbackOnly: RequestHandler = (request, _response, next) => {
  if (isLoopbackHost(request.headers.host ?? '')) return next();
  next(
    new AccessError(
      403,
      'This dashboard runs without keys and answers only as localhost, 127.0.0.1 or [::1]. ' +
        'To reach it by another name, set MILLRACE_API_KEYS.',
      'host_not_loopback',
    ),
  );
};
