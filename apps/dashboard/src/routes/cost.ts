/** /api/cost: what was spent. */
import { InvalidRequestError } from '@millrace/core';
import { type Request, Router } from 'express';
import { readCost } from '../read-cost.ts';
import type { RouteTerms } from './terms.ts';

const DAYS_DEFAULT = 7;
/** As many as are read in one go without Redis noticing; what is kept goes further back. */
const DAYS_MOST = 90;

export function costRoutes({ store }: RouteTerms): Router {
  const routes = Router();
  routes.get('/', async (request, response) => {
    const days = daysAsked(request);
    response.json(await store.liveness.guard(() => readCost(store, days)));
  });
  return routes;
}

/** @throws InvalidRequestError */
function daysAsked(request: Request): number {
  const { days } = request.query;
  if (days === undefined) return DAYS_DEFAULT;
  const count = typeof days === 'string' && /^\d{1,3}$/.test(days) ? Number(days) : 0;
  if (count >= 1 && count <= DAYS_MOST) return count;
  throw new InvalidRequestError(`'days' must be a whole number from 1 to ${DAYS_MOST}.`, 'days', 'invalid_value');
}
