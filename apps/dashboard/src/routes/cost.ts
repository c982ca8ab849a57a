/** /api/cost: what was spent. */
import { Router } from 'express';
import type { RouteTerms } from './terms.ts';

export function costRoutes(_terms: RouteTerms): Router {
  return Router();
}
