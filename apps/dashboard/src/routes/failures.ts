/** /api/failures: failed jobs by their cause. */
import { NotFoundError } from '@millrace/core';
import { Router } from 'express';
import { readCohort, readFailures } from '../failures/read-failures.ts';
import { causeIdOf, spanOf } from '../failures/span.ts';
import type { RouteTerms } from './terms.ts';

export function failuresRoutes({ store, index }: RouteTerms): Router {
  const routes = Router();
  routes.get('/', async ({ query }, response) => {
    const span = spanOf(store, query.hours, query.queue);
    response.json(await store.liveness.guard(() => readFailures(store, index, span)));
  });
  routes.get('/:cause', async ({ query, params }, response) => {
    const [span, cause] = [spanOf(store, query.hours, query.queue), causeIdOf(params.cause)];
    const found = await store.liveness.guard(() => readCohort(store, index, span, cause));
    if (found.cohort === null && found.trouble === null) {
      throw new NotFoundError('No failure has this cause in this span.', 'cause');
    }
    response.json(found);
  });
  return routes;
}
