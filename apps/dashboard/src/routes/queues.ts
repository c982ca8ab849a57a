/** /api/queues: pausing and resuming queues. */
import { queueNamed, setPaused } from '@millrace/queue';
import { Router } from 'express';
import { acted } from '../acted.ts';
import type { RouteTerms } from './terms.ts';

export function queuesRoutes({ store }: RouteTerms): Router {
  const routes = Router();
  for (const verb of ['pause', 'resume'] as const) {
    routes.post(`/:name/${verb}`, async (request, response) => {
      const { name } = queueNamed(store, request.params.name);
      await store.liveness.guard(async () => {
        await setPaused(store, name, verb === 'pause');
        await acted(store, request, `queue.${verb}`, name);
      });
      response.json({ name, paused: verb === 'pause' });
    });
  }
  return routes;
}
