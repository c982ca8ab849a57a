/** The pages of flows and their events: the list, one flow, the jobs of one step. */
import { InvalidRequestError } from '@millrace/core';
import { type Flow, noSuchFlow, outlineOf, readFlow, type Store } from '@millrace/queue';
import { Router } from 'express';
import { POLL_MS } from './bounds.ts';
import { openFlowList, openFlowReader } from './flow-reader.ts';
import type { LivePages } from './live-pages.ts';
import { flowPage, flowRegions } from './pages/flow.ts';
import { flowJson } from './pages/flow-json.ts';
import { flowListPage, flowListRegions } from './pages/flow-list.ts';
import { flowStepPage } from './pages/flow-step.ts';
import { openPoll } from './poll.ts';
import { readStep } from './read-step.ts';
import { sendPage } from './respond.ts';

export function flowRoutes(store: Store, live: LivePages, version: string): Router {
  const routes = Router();
  const newest = openPoll(openFlowList(store), POLL_MS);
  const found = async (id: string): Promise<Flow> => {
    const flow = await store.liveness.guard(() => readFlow(store, id));
    if (flow === null) throw noSuchFlow(id);
    return flow;
  };

  routes.get('/flows', async (request, response) => {
    const { after } = request.query;
    if (after !== undefined && typeof after !== 'string') {
      throw new InvalidRequestError("'after' must be the id of a flow.", 'after', 'invalid_value');
    }
    const list = after === undefined ? await newest.latest() : await openFlowList(store, after)();
    sendPage(response, flowListPage(list, after === undefined, version));
  });
  routes.get('/events/flows', async (request, response) => {
    await live.watch('/flows', () => ({ poll: newest, regionsOf: flowListRegions }), request, response);
  });

  routes.get('/flows/:id.json', async (request, response) => {
    response.json(flowJson(await found(request.params.id)));
  });
  routes.get('/flows/:id', async (request, response) => {
    const flow = await found(request.params.id);
    const now = await openFlowReader(store, outlineOf(flow))();
    sendPage(response, flowPage(now, flow.definition.input, version));
  });
  routes.get('/events/flows/:id', async (request, response) => {
    const outline = outlineOf(await found(request.params.id));
    const open = () => ({ poll: openPoll(openFlowReader(store, outline), POLL_MS), regionsOf: flowRegions });
    await live.watch(`/flows/${outline.id}`, open, request, response);
  });
  routes.get('/flows/:id/steps/:step', async (request, response) => {
    const flow = outlineOf(await found(request.params.id));
    sendPage(
      response,
      flowStepPage(await store.liveness.guard(() => readStep(store, flow, request.params.step)), version),
    );
  });
  return routes;
}
