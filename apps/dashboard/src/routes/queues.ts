/** /api/queues: pausing and resuming queues. */
import { Router } from 'express';
import type { RouteTerms } from './terms.ts';

export function queuesRoutes(_terms: RouteTerms): Router {
  return Router();
}
