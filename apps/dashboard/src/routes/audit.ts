/** /api/audit: who did what. */
import { Router } from 'express';
import type { RouteTerms } from './terms.ts';

export function auditRoutes(_terms: RouteTerms): Router {
  return Router();
}
