/** /v1/queues: what waits, runs and has ended; pausing and resuming; and how the answers of two APIs compare. */
import { InvalidRequestError } from '@millrace/core';
import { countQueues, type QueueCounts, queueNamed, readShadow, type Store, setPaused } from '@millrace/queue';
import { Router } from 'express';
import { shadowView } from './shadow-view.ts';

const DIFFERENCES_DEFAULT = 20;
const DIFFERENCES_MOST = 1000;

export function queuesRoutes(store: Store): Router {
  const routes = Router();
  const guard = store.liveness.guard;
  const view = (counts: QueueCounts): Record<string, unknown> => {
    const { name, paused, ...jobs } = counts;
    const settings = store.config.queues[name];
    return {
      name,
      object: 'queue',
      paused,
      upstream: settings?.upstream,
      limit: settings?.limit,
      model: settings?.model ?? null,
      jobs,
    };
  };

  routes.get('/', async (_request, response) => {
    const counts = await guard(() => countQueues(store));
    response.json({ object: 'list', data: counts.map(view) });
  });

  const turn = async (name: string, paused: boolean): Promise<unknown> => {
    queueNamed(store, name);
    await guard(() => setPaused(store, name, paused));
    const counts = await guard(() => countQueues(store));
    return counts.filter((queue) => queue.name === name).map(view)[0];
  };
  routes.post('/:name/pause', async (request, response) => {
    response.json(await turn(request.params.name, true));
  });
  routes.post('/:name/resume', async (request, response) => {
    response.json(await turn(request.params.name, false));
  });
  routes.get('/:name/shadow', async (request, response) => {
    const queue = queueNamed(store, request.params.name);
    const limit = Number(request.query.limit ?? DIFFERENCES_DEFAULT);
    if (!Number.isInteger(limit) || limit < 0 || limit > DIFFERENCES_MOST) {
      const message = `'limit' must be a whole number from 0 to ${DIFFERENCES_MOST}.`;
      throw new InvalidRequestError(message, 'limit', 'invalid_value');
    }
    response.json(shadowView(queue.name, await guard(() => readShadow(store, queue, limit))));
  });
  return routes;
}
