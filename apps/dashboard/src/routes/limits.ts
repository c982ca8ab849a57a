/** /api/limits: opening limits that are closed. */
import { Router } from 'express';
import type { RouteTerms } from './terms.ts';

export function limitsRoutes(_terms: RouteTerms): Router {
  return Router();
}
