/** /api/session: signing in, who I am, signing out. */
import { InvalidRequestError } from '@millrace/core';
import { json, Router } from 'express';
import type { Sessions } from '../sessions.ts';

const SIGN_IN_BYTES = 4096;

export function sessionRoutes(sessions: Sessions): Router {
  const routes = Router();
  routes.get('/', sessions.required, (request, response) => {
    response.json(sessions.view(request));
  });
  routes.post('/', json({ limit: SIGN_IN_BYTES }), (request, response) => {
    const key: unknown = (request.body as { key?: unknown } | undefined)?.key;
    if (typeof key !== 'string' || key === '') {
      throw new InvalidRequestError("'key' must be the secret of an API key.", 'key', 'invalid_value');
    }
    response.json(sessions.signIn(request, key.trim()));
  });
  routes.delete('/', sessions.required, (request, response) => {
    sessions.signOut(request);
    response.status(204).end();
  });
  return routes;
}
