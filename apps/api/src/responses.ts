/** /v1/responses: OpenAI's shape over the same jobs. */

import { ConflictError, isTerminal } from '@millrace/core';
import { cancelJob, noSuchJob, queueOfJob, readJob, removeJob, type Store, submit } from '@millrace/queue';
import { Router } from 'express';
import { callerName } from './authenticate.ts';
import { jobOfResponse } from './new-job.ts';
import { jsonBody } from './read-body.ts';
import { responseView } from './response-view.ts';

export function responsesRoutes(store: Store): Router {
  const routes = Router();
  const guard = store.liveness.guard;

  routes.post('/', jsonBody, async (request, response) => {
    const job = jobOfResponse(store, request.body, callerName(request), (name) => request.get(name));
    const [reply] = await guard(() => submit(store, [job]));
    if (reply === undefined || reply instanceof Error) throw reply;
    const found = await guard(() => readJob(store, reply.id));
    if (found === null) throw noSuchJob(reply.id);
    response.json(responseView(store.config, found.job, found.answer));
  });

  routes.get('/:id', async (request, response) => {
    const found = await guard(() => readJob(store, request.params.id));
    if (found === null) throw noSuchJob(request.params.id);
    response.json(responseView(store.config, found.job, found.answer));
  });

  routes.post('/:id/cancel', async (request, response) => {
    const found = await guard(() => cancelJob(store, request.params.id));
    response.json(responseView(store.config, found.job, found.answer));
  });

  routes.delete('/:id', async (request, response) => {
    const { id } = request.params;
    const queue = queueOfJob(store, id);
    const found = queue === undefined ? null : await guard(() => readJob(store, id));
    if (queue === undefined || found === null) throw noSuchJob(id);
    if (!isTerminal(found.job.status)) {
      throw new ConflictError(
        `The response ${id} is ${found.job.status}: cancel it before deleting it.`,
        'id',
        'job_not_finished',
      );
    }
    await guard(() => removeJob(store, queue, id));
    response.json({ id, object: 'response', deleted: true });
  });
  return routes;
}
