/** /api/flows: flows, the jobs of their steps, and what can be done with them. */
import { ConflictError, InvalidRequestError } from '@millrace/core';
import { cancelFlow, type Flow, noSuchFlow, outlineOf, readFlow, retryFlow } from '@millrace/queue';
import { Router } from 'express';
import { acted } from '../acted.ts';
import { flowJson } from '../flows/flow-json.ts';
import { openFlowList } from '../flows/flow-topics.ts';
import { flowRow } from '../flows/flow-view.ts';
import { stepJobsPage } from '../flows/step-jobs-page.ts';
import { callerOf } from '../sessions.ts';
import type { RouteTerms } from './terms.ts';

export function flowsRoutes({ store }: RouteTerms): Router {
  const routes = Router();
  const { guard } = store.liveness;
  const found = async (id: string): Promise<Flow> => {
    const flow = await guard(() => readFlow(store, id));
    if (flow === null) throw noSuchFlow(id);
    return flow;
  };

  routes.get('/', async (request, response) => {
    const { after } = request.query;
    if (after !== undefined && typeof after !== 'string') {
      throw new InvalidRequestError("'after' must be the id of a flow.", 'after', 'invalid_value');
    }
    response.json(await openFlowList(store, after)());
  });

  routes.get('/:id', async (request, response) => {
    response.json(flowRow(await found(request.params.id)));
  });

  routes.get('/:id/json', async (request, response) => {
    const flow = await found(request.params.id);
    response.set({
      'content-disposition': `attachment; filename="${flow.id}.json"`,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    response.json(flowJson(flow));
  });

  routes.get('/:id/steps/:step', async (request, response) => {
    const { from = '0', failed } = request.query;
    if (typeof from !== 'string' || !/^\d{1,6}$/.test(from)) {
      throw new InvalidRequestError("'from' must be a whole number: a place in the list.", 'from', 'invalid_value');
    }
    if (failed !== undefined && failed !== '1') {
      throw new InvalidRequestError("'failed' must be 1, or be left out.", 'failed', 'invalid_value');
    }
    const flow = outlineOf(await found(request.params.id));
    const { step } = request.params;
    response.json(await guard(() => stepJobsPage(store, flow, step, Number(from), failed === '1')));
  });

  routes.post('/:id/cancel', async (request, response) => {
    const flow = await guard(() => cancelFlow(store, request.params.id));
    if (flow.status !== 'cancelled') {
      throw new ConflictError(`The flow ${flow.id} is ${flow.status} already.`, 'id', 'flow_finished');
    }
    await acted(store, request, 'flow.cancel', flow.id);
    response.json({ status: flow.status });
  });

  routes.post('/:id/retry', async (request, response) => {
    const flow = await guard(() => retryFlow(store, request.params.id, callerOf(request).key));
    await acted(store, request, 'flow.retry', request.params.id, `as ${flow.id}`);
    response.status(202).json({ id: flow.id });
  });
  return routes;
}
