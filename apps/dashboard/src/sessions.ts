/**
 * Who looks: a key is exchanged for a session, which a signed cookie carries. A session is worth what its key is worth
 * now: one that is not configured any more ends it, one that has another role gives it that. Scripts may send the key as
 * a Bearer instead. Where no keys are configured everybody on this machine is an operator; the token of its pages is
 * then all that keeps strange pages out.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { AccessError, ANYBODY, type ApiKey, keyFinder, type Role } from '@millrace/core';
import type { Request, RequestHandler, Response } from 'express';
import type { EndedSessions } from './ended-sessions.ts';
import { isFromOwnPage } from './own-pages-only.ts';
import { openSessionTokens, SESSION_MS, type TokenHolder } from './session-token.ts';
import type { SessionView } from './views/session.ts';

export interface Caller {
  name: string;
  /** Whose the jobs are that it makes; null: nobody's, as no keys are configured. */
  key: string | null;
  role: Role;
}

export interface Sessions {
  /** Finds out who asks. To be mounted before everything that asks. */
  read: RequestHandler;
  /** Refuses who is not signed in. */
  required: RequestHandler;
  /** Sends a browser that is not signed in to sign in, and back; refuses anything else that is not. */
  requiredOfPages: RequestHandler;
  /** Refuses what changes something and does not come from a page of ours. */
  guardForgery: RequestHandler;
  /** Refuses that too, and a viewer's changes. */
  guardChanges: RequestHandler;
  /** Ends a stream when the session that it was opened in ends. */
  endWithSession: RequestHandler;
  /** @throws AccessError 401 */
  signIn(request: Request, response: Response, secret: string): SessionView;
  /** Ends the session everywhere, with its streams. */
  signOut(request: Request, response: Response): Promise<void>;
  /** Who asks, as its page is told. Only behind `required`. */
  view(request: Request): SessionView;
}

const COOKIE = 'millrace_session';
const TOKEN_BYTES = 32;

/** Who asks, and how it came to be known. */
interface Visit extends Caller {
  by: 'key' | 'session';
  /** null: a key's, which needs none. */
  csrf: string | null;
  /** null: not of a session that could end. */
  session: { id: string; endsAt: number } | null;
}

const visits = new WeakMap<Request, Visit>();

/** Who asks; only behind `required`. */
export function callerOf(request: Request): Caller {
  const { name, key, role } = visitOf(request);
  return { name, key, role };
}

/** Refuses viewers, also where nothing is changed. */
export const operatorsOnly: RequestHandler = (request, _response, next) => {
  const { name, role } = callerOf(request);
  if (role === 'operator') return next();
  next(new AccessError(403, `'${name}' is a viewer: this is for operators.`, 'insufficient_role'));
};

function visitOf(request: Request): Visit {
  const visit = visits.get(request);
  if (visit === undefined) throw new Error('a route was reached without its guard');
  return visit;
}

interface SessionTerms {
  ended: EndedSessions;
  /** Told of a key that was sent as a Bearer and is not known; what it throws is the answer. */
  onWrongKey: (request: Request, secret: string) => void;
}

export function openSessions(keys: readonly ApiKey[], { ended, onWrongKey }: SessionTerms): Sessions {
  const find = keyFinder(keys);
  const open = keys.length === 0;
  const tokens = openSessionTokens(keys);
  const anybody: Visit = {
    ...{ name: ANYBODY, key: null, role: 'operator', by: 'session', session: null },
    csrf: randomBytes(TOKEN_BYTES).toString('base64url'),
  };

  const whoAsks = async (request: Request): Promise<Visit | null> => {
    if (open) return anybody;
    // Who sends a key means that key: a session that came along does not make up for a wrong one.
    const authorization = request.get('authorization');
    if (authorization !== undefined) {
      const [, bearer = ''] = /^Bearer\s+(\S+)\s*$/i.exec(authorization) ?? [];
      const key = find(bearer);
      if (key !== null) return { name: key.name, key: key.name, role: key.role, by: 'key', csrf: null, session: null };
      // What is no Bearer, a proxy's own for example, is no try of a key.
      if (bearer !== '') onWrongKey(request, bearer);
      return null;
    }
    const holder = tokens.read(cookieOf(request));
    return holder === null || (await ended.has(holder.session)) ? null : visitOfHolder(holder);
  };
  const visitOfHolder = ({ key, csrf, session, endsAt }: TokenHolder): Visit => ({
    ...{ name: key.name, key: key.name, role: key.role, by: 'session', csrf },
    session: { id: session, endsAt },
  });
  const viewOf = ({ name, role, csrf }: Visit): SessionView => ({ name, role, csrf: csrf ?? '', open });
  /** null: it may pass. */
  const forgery = (request: Request): AccessError | null => {
    const { by, csrf } = visitOf(request);
    if (by === 'key') return null;
    if (isFromOwnPage(request) && csrf !== null && sameText(request.get('x-csrf-token') ?? '', csrf)) return null;
    return new AccessError(403, 'This did not come from a page of the dashboard. Load the page again.', 'csrf');
  };

  return {
    read: async (request, _response, next) => {
      const visit = await whoAsks(request);
      if (visit !== null) visits.set(request, visit);
      next();
    },
    required: (request, _response, next) => next(visits.has(request) ? undefined : notSignedIn()),
    requiredOfPages: (request, response, next) => {
      if (visits.has(request)) return next();
      const page = request.method === 'GET' && request.accepts(['json', 'html']) === 'html';
      if (!page) return next(notSignedIn());
      response.redirect(303, `/?back=${encodeURIComponent(request.originalUrl)}`);
    },
    guardForgery: (request, _response, next) => next((isLook(request) ? null : forgery(request)) ?? undefined),
    guardChanges: (request, _response, next) => {
      if (isLook(request)) return next();
      const { name, role } = visitOf(request);
      if (role === 'operator') return next(forgery(request) ?? undefined);
      next(new AccessError(403, `'${name}' is a viewer: it may look, not change.`, 'insufficient_role'));
    },
    endWithSession: (request, response, next) => {
      const { session } = visitOf(request);
      if (session !== null) {
        const timer = setTimeout(() => response.end(), session.endsAt - Date.now());
        response.once('close', () => clearTimeout(timer));
        ended.follow(session.id, response);
      }
      next();
    },
    signIn: (request, response, secret) => {
      const key = find(secret);
      if (key === null) throw new AccessError(401, 'The key is not known here.', 'invalid_api_key');
      const token = tokens.issue(key);
      const holder = tokens.read(token);
      if (holder === null) throw new Error('a session was over before it began');
      response.cookie(COOKIE, token, { ...cookieTerms(request), maxAge: SESSION_MS });
      const visit = visitOfHolder(holder);
      visits.set(request, visit);
      return viewOf(visit);
    },
    signOut: async (request, response) => {
      response.clearCookie(COOKIE, cookieTerms(request));
      const { session } = visitOf(request);
      if (session !== null) await ended.end(session.id, session.endsAt);
    },
    view: (request) => viewOf(visitOf(request)),
  };
}

const isLook = ({ method }: Request): boolean => method === 'GET' || method === 'HEAD';

const notSignedIn = (): AccessError =>
  new AccessError(401, 'Sign in with an API key, or send it as Authorization: Bearer <key>.', 'not_signed_in');

function cookieOf(request: Request): string {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1) ?? '';
}

/**
 * Sent by https only, where the browser's side of the connection is https. A proxy is believed about that, whoever it
 * is: who lies loses only his own cookie.
 */
function cookieTerms(request: Request): { httpOnly: true; sameSite: 'strict'; path: '/'; secure: boolean } {
  const [proto] = (request.get('x-forwarded-proto') ?? '').split(',');
  const secure = request.secure || proto?.trim().toLowerCase() === 'https';
  return { httpOnly: true, sameSite: 'strict', path: '/', secure };
}

function sameText(given: string, expected: string): boolean {
  const [a, b] = [given, expected].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(a as Buffer, b as Buffer);
}
