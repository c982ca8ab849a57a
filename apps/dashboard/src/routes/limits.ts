/** /api/limits: opening limits that are closed. */
import { NotFoundError } from '@millrace/core';
import { groupsOf, resumeLimit } from '@millrace/queue';
import { Router } from 'express';
import { acted } from '../acted.ts';
import type { RouteTerms } from './terms.ts';

export function limitsRoutes({ store }: RouteTerms): Router {
  const routes = Router();
  routes.post('/:name/resume', async (request, response) => {
    const { name } = request.params;
    const { limits } = store.config;
    if (!Object.hasOwn(limits, name)) {
      const names = Object.keys(limits).join(', ');
      const message = `There is no limit '${name.slice(0, 80)}'. The limits are: ${names}.`;
      throw new NotFoundError(message, 'limit', 'limit_not_found');
    }
    await store.liveness.guard(async () => {
      const opened = await resumeLimit(store.redis, name, await groupsOf(store.redis, name));
      if (opened) await acted(store, request, 'limit.resume', name);
    });
    response.json({ name, closed: null });
  });
  return routes;
}
