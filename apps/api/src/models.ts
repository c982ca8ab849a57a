/** /v1/models: those that the configuration names, and those that the upstreams list while they can be reached. */
import { type Config, NotFoundError } from '@millrace/core';
import type { Store } from '@millrace/queue';
import { openPassThrough } from '@millrace/upstream/pass-through';
import { Router } from 'express';

interface Model {
  id: string;
  object: 'model';
  created: number;
  owned_by: string;
}

const LIST_MS = 2000;
/** An upstream that cannot be reached is asked again as seldom. */
const KEPT_MS = 60_000;

export function modelsRoutes(store: Store): Router {
  const routes = Router();
  let listed: { at: number; models: Promise<Model[]> } | null = null;
  const models = (): Promise<Model[]> => {
    if (listed === null || Date.now() - listed.at > KEPT_MS) {
      listed = { at: Date.now(), models: allModels(store.config) };
    }
    return listed.models;
  };
  routes.get('/', async (_request, response) => {
    response.json({ object: 'list', data: await models() });
  });
  // A model's name may hold slashes.
  routes.get('/*id', async (request, response) => {
    const id = (request.params.id as unknown as string[]).join('/');
    const model = (await models()).find((one) => one.id === id);
    if (model === undefined) {
      throw new NotFoundError(`The model '${id.slice(0, 80)}' does not exist.`, 'model', 'model_not_found');
    }
    response.json(model);
  });
  return routes;
}

async function allModels(config: Config): Promise<Model[]> {
  const named = [
    ...Object.values(config.queues).map(({ model }) => model),
    ...Object.values(config.limits).flatMap(({ models }) => models),
  ].filter((id) => id !== undefined);
  const lists = await Promise.all(Object.values(config.upstreams).map(upstreamsModels));
  const found = new Map<string, Model>();
  for (const model of lists.flat()) found.set(model.id, model);
  for (const id of named) if (!found.has(id)) found.set(id, { id, object: 'model', created: 0, owned_by: 'millrace' });
  return [...found.values()];
}

async function upstreamsModels(upstream: Config['upstreams'][string]): Promise<Model[]> {
  const opened = openPassThrough(upstream, LIST_MS);
  try {
    const { data } = (await opened.read('/models', LIST_MS)) as { data?: unknown };
    if (!Array.isArray(data)) return [];
    return (data as Partial<Model>[])
      .filter(({ id }) => typeof id === 'string')
      .map(
        (model) =>
          ({ ...model, object: 'model', created: model.created ?? 0, owned_by: model.owned_by ?? '' }) as Model,
      );
  } catch {
    // The configuration's own are told without it.
    return [];
  } finally {
    await opened.close();
  }
}
