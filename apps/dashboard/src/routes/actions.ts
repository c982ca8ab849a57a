/** /api/actions: what is done to many jobs at once. */
import { Router } from 'express';
import type { RouteTerms } from './terms.ts';

export function actionsRoutes(_terms: RouteTerms): Router {
  return Router();
}
