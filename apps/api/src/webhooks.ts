/** /v1/webhooks: who is told of what, what became of each delivery, and delivering again. */
import { EVENT_TYPES, InvalidRequestError } from '@millrace/core';
import {
  type DeliveryStatus,
  type DeliveryView,
  listDeliveries,
  replayDelivery,
  type Store,
  secretOf,
} from '@millrace/queue';
import { type Request, Router } from 'express';
import { isOperator } from './authenticate.ts';

const PAGE_DEFAULT = 20;
const PAGE_MOST = 100;
const STATUSES: readonly DeliveryStatus[] = ['pending', 'delivered', 'dead'];

export function webhooksRoutes(store: Store): Router {
  const routes = Router();
  const { guard } = store.liveness;

  routes.get('/', async (request, response) => {
    const shown = async (url: string | null): Promise<string | null> =>
      isOperator(request) ? await guard(() => secretOf(store, url)) : null;
    const endpoints = await Promise.all(
      store.config.webhooks.endpoints.map(async ({ url, events }) => ({
        url,
        events: events ?? EVENT_TYPES,
        secret: await shown(url),
      })),
    );
    response.json({ object: 'webhooks', secret: await shown(null), endpoints });
  });

  routes.get('/deliveries', async (request, response) => {
    const status = choice(request, 'status', STATUSES, 'pending');
    const limit = count(request, 'limit', PAGE_DEFAULT, 1, PAGE_MOST);
    const offset = count(request, 'offset', 0, 0, 1_000_000);
    const found = await guard(() => listDeliveries(store, status, offset, limit + 1));
    response.json({ object: 'list', data: found.slice(0, limit).map(deliveryView), has_more: found.length > limit });
  });

  routes.post('/deliveries/:id/replay', async (request, response) => {
    response.status(202).json(deliveryView(await guard(() => replayDelivery(store, request.params.id))));
  });
  return routes;
}

const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1000);

function deliveryView({ id, status, event, url, attempts, last, nextAt }: DeliveryView): Record<string, unknown> {
  return {
    id,
    object: 'webhook.delivery',
    status,
    event: { id: event.id, type: event.type, created_at: seconds(event.createdAt), data: event.data },
    url,
    attempts,
    last_attempt: last === null || last === undefined ? null : { ...last, at: seconds(last.at) },
    next_attempt_at: seconds(nextAt),
  };
}

function choice<T extends string>(request: Request, name: string, values: readonly T[], otherwise: T): T {
  const value = request.query[name] ?? otherwise;
  if (values.includes(value as T)) return value as T;
  throw new InvalidRequestError(`'${name}' must be one of ${values.join(', ')}.`, name, 'invalid_value');
}

function count(request: Request, name: string, otherwise: number, least: number, most: number): number {
  const value = Number(request.query[name] ?? otherwise);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new InvalidRequestError(`'${name}' must be a whole number from ${least} to ${most}.`, name, 'invalid_value');
}
