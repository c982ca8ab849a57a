/** /v1/queues: what waits, runs and has ended; pausing and resuming. */
import { countQueues, type QueueCounts, queueNamed, type Store, setPaused } from '@millrace/queue';
import { Router } from 'express';

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
  return routes;
}
