/** /api/failures: failed jobs by their cause. */
import { Router } from 'express';
import type { RouteTerms } from './terms.ts';

export function failuresRoutes(_terms: RouteTerms): Router {
  return Router();
}
