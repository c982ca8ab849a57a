/** /api/actions: what is done to many jobs at once. Workers carry it out. */
import { causeOf, editedJob, InvalidRequestError } from '@millrace/core';
import { createAction, noSuchAction, readJob, resumeAction, type Store, stopAction } from '@millrace/queue';
import { json, Router } from 'express';
import { acted } from '../acted.ts';
import { jobsOfOrder, type Order, parseOrder } from '../failures/order.ts';
import { previewOrder } from '../failures/preview.ts';
import { actionView, readActionDetail, readActions } from '../failures/read-actions.ts';
import { callerOf } from '../sessions.ts';
import type { RouteTerms } from './terms.ts';

/** Of an order: an edit may bring a schema and a prompt along. */
const ORDER_BYTES = 1024 ** 2;

export function actionsRoutes({ store, index }: RouteTerms): Router {
  const routes = Router();
  const body = json({ limit: ORDER_BYTES });
  routes.get('/', async (_request, response) => {
    response.json(await store.liveness.guard(() => readActions(store)));
  });
  routes.post('/preview', body, async (request, response) => {
    const order = parseOrder(store, request.body);
    const view = await store.liveness.guard(async () =>
      previewOrder(store, order, await jobsOfOrder(store, index, order)),
    );
    response.json(view);
  });
  routes.post('/', body, async (request, response) => {
    const order = parseOrder(store, request.body);
    const { key } = callerOf(request);
    const { kind, cause, edit } = order;
    const [id, count, what] = await store.liveness.guard(async () => {
      const ids = await jobsOfOrder(store, index, order);
      const words = await wordsOf(store, order, ids);
      return [await createAction(store, { kind, ids, what: words, cause, edit, key }), ids.length, words] as const;
    });
    await acted(store, request, `failures.${kind}`, id, `${count} jobs: ${what}`);
    response.status(202).json({ id });
  });
  routes.get('/:id', async ({ params }, response) => {
    const found = await store.liveness.guard(() => readActionDetail(store, params.id));
    if (found.action === null) throw noSuchAction(params.id);
    response.json(found);
  });
  routes.post('/:id/stop', async (request, response) => {
    const action = await store.liveness.guard(() => stopAction(store, request.params.id));
    await acted(store, request, 'action.stop', action.id);
    response.json(actionView(action));
  });
  routes.post('/:id/resume', async (request, response) => {
    const action = await store.liveness.guard(() => resumeAction(store, request.params.id));
    await acted(store, request, 'action.resume', action.id);
    response.json(actionView(action));
  });
  return routes;
}

function nothingLeft(): InvalidRequestError {
  const message =
    'There is no job of this cause to do it to (any more): what was retried already is not retried again.';
  return new InvalidRequestError(message, 'cause', 'no_jobs');
}

/**
 * What its jobs have in common, by the newest of them.
 * @throws InvalidRequestError naming the field where the edit does not fit that one: nothing is made then
 */
async function wordsOf(store: Store, { edit }: Order, [newest]: readonly string[]): Promise<string> {
  const job = newest === undefined ? undefined : (await readJob(store, newest))?.job;
  if (job === undefined) throw nothingLeft();
  if (edit !== null) editedJob(store.config, job, edit, null);
  const { code, path, message } = causeOf(job);
  return `${code}${path === null ? '' : ` at ${path}`}: ${message}`;
}
