/** /api/jobs: looking for jobs, one job, and what can be done with it. */
import { Router } from 'express';
import type { RouteTerms } from './terms.ts';

export function jobsRoutes(_terms: RouteTerms): Router {
  return Router();
}
