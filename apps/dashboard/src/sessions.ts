/**
 * Who looks: a key is exchanged for a session, which a signed cookie carries. A session is worth what its key is worth:
 * one that is not configured any more, or whose role has changed, ends it. Scripts may send the key as a Bearer instead.
 * Where no keys are configured everybody on this machine is an operator; the session then only guards against
 * strange pages.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { AccessError, type ApiKey, keyFinder, type Role } from '@millrace/core';
import cookieSession from 'cookie-session';
import type { Request, RequestHandler, Response } from 'express';
import type { SessionView } from './views/session.ts';

export interface Caller {
  name: string;
  role: Role;
}

export interface Sessions {
  /** Reads the cookie, and finds out who asks. To be mounted before everything that asks. */
  read: RequestHandler;
  /** Refuses who is not signed in. */
  required: RequestHandler;
  /** Refuses what changes something and does not come from a page of ours, or from a viewer. */
  guardChanges: RequestHandler;
  /** @throws AccessError 401 */
  signIn(request: Request, secret: string): SessionView;
  signOut(request: Request): void;
  /** null: nobody is signed in. */
  view(request: Request): SessionView | null;
}

const COOKIE = 'millrace_session';
const SESSION_MS = 12 * 3_600_000;
const CSRF_BYTES = 18;

interface Cookie {
  name: string;
  csrf: string;
  at: number;
}

const callers = new WeakMap<Request, Caller>();

/** Who asks; only behind `required`. */
export function callerOf(request: Request): Caller {
  const caller = callers.get(request);
  if (caller === undefined) throw new Error('a route was reached without its guard');
  return caller;
}

export function openSessions(keys: readonly ApiKey[]): Sessions {
  const find = keyFinder(keys);
  const open = keys.length === 0;
  // A changed secret makes every cookie of before worthless.
  const signing = open
    ? randomBytes(32).toString('hex')
    : createHash('sha256')
        .update(`millrace session\0${keys.map(({ name, secret }) => `${name}\0${secret}`).join('\0')}`)
        .digest('hex');
  const cookies = cookieSession({
    ...{ name: COOKIE, keys: [signing], maxAge: SESSION_MS },
    ...{ httpOnly: true, sameSite: 'strict', path: '/' },
  });

  const cookieOf = (request: Request): Cookie | null => {
    const { name, csrf, at } = (request.session ?? {}) as Partial<Cookie>;
    if (typeof name !== 'string' || typeof csrf !== 'string' || typeof at !== 'number') return null;
    return Date.now() - at < SESSION_MS ? { name, csrf, at } : null;
  };
  const holderOf = (name: string): Caller | null =>
    open ? { name: 'anybody', role: 'operator' } : (keys.find((key) => key.name === name) ?? null);
  const begin = (request: Request, name: string): Cookie => {
    const cookie = { name, csrf: randomBytes(CSRF_BYTES).toString('base64url'), at: Date.now() };
    request.session = cookie;
    return cookie;
  };
  const viewOf = ({ name, csrf }: Cookie, { role }: Caller): SessionView => ({ name, role, csrf, open });

  const callerAsks = (request: Request): Caller | null => {
    const [, bearer] = /^Bearer\s+(\S+)\s*$/i.exec(request.get('authorization') ?? '') ?? [];
    if (bearer !== undefined && !open) return find(bearer);
    const cookie = cookieOf(request);
    return cookie === null ? null : holderOf(cookie.name);
  };

  return {
    read: (request, response, next) => {
      cookies(request as never, response as never, () => {
        if (open && cookieOf(request) === null) begin(request, 'anybody');
        const caller = callerAsks(request);
        if (caller !== null) callers.set(request, { name: caller.name, role: caller.role });
        next();
      });
    },
    required: (request, _response, next) => {
      if (callers.has(request)) return next();
      next(
        new AccessError(401, 'Sign in with an API key, or send it as Authorization: Bearer <key>.', 'not_signed_in'),
      );
    },
    guardChanges: (request: Request, _response: Response, next) => {
      if (request.method === 'GET' || request.method === 'HEAD') return next();
      const { name, role } = callerOf(request);
      if (role !== 'operator') {
        return next(new AccessError(403, `'${name}' is a viewer: it may look, not change.`, 'insufficient_role'));
      }
      // A key that was sent along is no page's doing.
      if (!open && request.get('authorization') !== undefined) return next();
      if (isOurs(request) && sameText(request.get('x-csrf-token') ?? '', cookieOf(request)?.csrf ?? null))
        return next();
      next(new AccessError(403, 'This did not come from a page of the dashboard. Load the page again.', 'csrf'));
    },
    signIn: (request, secret) => {
      const key = find(secret);
      if (key === null) throw new AccessError(401, 'The key is not known here.', 'invalid_api_key');
      return viewOf(begin(request, key.name), key);
    },
    signOut: (request) => {
      request.session = null;
    },
    view: (request) => {
      const [cookie, caller] = [cookieOf(request), callers.get(request)];
      return cookie === null || caller === undefined ? null : viewOf(cookie, caller);
    },
  };
}

/** Browsers say where a request comes from; who is none needs the token all the same. */
function isOurs(request: Request): boolean {
  const site = request.get('sec-fetch-site');
  return site === undefined || site === 'same-origin';
}

function sameText(given: string, expected: string | null): boolean {
  if (expected === null) return false;
  const [a, b] = [given, expected].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(a as Buffer, b as Buffer);
}
