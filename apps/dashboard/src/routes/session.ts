/** /api/session: signing in, who I am, signing out. */
import { AccessError, InvalidRequestError } from '@millrace/core';
import { json, Router } from 'express';
import { acted } from '../acted.ts';
import { ownPagesOnly } from '../own-pages-only.ts';
import type { Sessions } from '../sessions.ts';
import type { WrongKeys } from '../wrong-keys.ts';
import type { RouteTerms } from './terms.ts';

const SIGN_IN_BYTES = 4096;

export function sessionRoutes(sessions: Sessions, wrongKeys: WrongKeys, { store }: RouteTerms): Router {
  const routes = Router();

  routes.get('/', sessions.required, (request, response) => {
    response.json(sessions.view(request));
  });
  routes.post('/', ownPagesOnly, json({ limit: SIGN_IN_BYTES }), (request, response) => {
    wrongKeys.check(request);
    // A form of another site can send anything but JSON.
    if (request.is('application/json') === false) {
      throw new InvalidRequestError('Content-Type must be application/json.', null, 'unsupported_content_type');
    }
    const { key, ...unknown } = (request.body ?? {}) as Record<string, unknown>;
    const [other] = Object.keys(unknown);
    if (other !== undefined) {
      const name = other.slice(0, 80);
      throw new InvalidRequestError(`There is no '${name}': send 'key' alone.`, name, 'unknown_parameter');
    }
    if (typeof key !== 'string' || key.trim() === '') {
      throw new InvalidRequestError("'key' must be the secret of an API key.", 'key', 'invalid_value');
    }
    try {
      response.json(sessions.signIn(request, response, key.trim()));
    } catch (error) {
      if (error instanceof AccessError) wrongKeys.refused(request);
      throw error;
    }
    void acted(store, request, 'session.sign_in', '', `from ${request.ip ?? 'unknown'}`);
  });
  routes.delete('/', sessions.required, sessions.guardForgery, async (request, response) => {
    await sessions.signOut(request, response);
    response.status(204).end();
    void acted(store, request, 'session.sign_out', '');
  });
  return routes;
}
