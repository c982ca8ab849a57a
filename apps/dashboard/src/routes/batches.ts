/** /api/batches: batches, and what can be done with them. */
import { Router } from 'express';
import type { RouteTerms } from './terms.ts';

export function batchesRoutes(_terms: RouteTerms): Router {
  return Router();
}
