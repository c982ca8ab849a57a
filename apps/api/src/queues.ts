/** /v1/queues: what waits, runs and has ended; pausing and resuming; and how the answers of two APIs compare. */
import { InvalidRequestError } from '@millrace/core';
import {
  countQueues,
  noteAct,
  type QueueCounts,
  queueNamed,
  readCounters,
  readShadow,
  readSpentTotals,
  type SpentFigures,
  type Store,
  setPaused,
  tokensOf,
} from '@millrace/queue';
import { type Request, Router } from 'express';
import { callerName } from './authenticate.ts';
import { shadowView } from './shadow-view.ts';

const DIFFERENCES_DEFAULT = 20;
const DIFFERENCES_MOST = 1000;

/** A queue's counters. */
type Totals = ReadonlyMap<string, number>;

export function queuesRoutes(store: Store): Router {
  const routes = Router();
  const guard = store.liveness.guard;
  const view = (
    counts: QueueCounts,
    totals: Totals | undefined,
    spent: readonly SpentFigures[] = [],
  ): Record<string, unknown> => {
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
      cached_tokens: tokensOf(spent).cached,
      tool_calls: toolCalls(totals),
    };
  };
  const read = async (): Promise<Record<string, unknown>[]> => {
    const [counts, totals, spent] = await guard(() =>
      Promise.all([countQueues(store), readCounters(store), readSpentTotals(store)]),
    );
    return counts.map((one) => view(one, totals.get(one.name), spent.get(one.name)));
  };

  routes.get('/', async (_request, response) => {
    response.json({ object: 'list', data: await read() });
  });

  const turn = async (request: Request, name: string, paused: boolean): Promise<unknown> => {
    queueNamed(store, name);
    await guard(() => setPaused(store, name, paused));
    const [who, what] = [callerName(request), paused ? 'queue.pause' : 'queue.resume'];
    await noteAct(store, { who, role: 'operator', what, target: name, detail: 'through the API' });
    return (await read()).find((queue) => queue.name === name);
  };
  routes.post('/:name/pause', async (request, response) => {
    response.json(await turn(request, request.params.name, true));
  });
  routes.post('/:name/resume', async (request, response) => {
    response.json(await turn(request, request.params.name, false));
  });
  routes.get('/:name/shadow', async (request, response) => {
    const queue = queueNamed(store, request.params.name);
    const limit = Number(request.query.limit ?? DIFFERENCES_DEFAULT);
    if (!Number.isInteger(limit) || limit < 0 || limit > DIFFERENCES_MOST) {
      const message = `'limit' must be a whole number from 0 to ${DIFFERENCES_MOST}.`;
      throw new InvalidRequestError(message, 'limit', 'invalid_value');
    }
    response.json(shadowView(queue.name, await guard(() => readShadow(store, queue, limit)), store.config.prices));
  });
  return routes;
}

const TOOL_CALLS = 'tool_calls:';

/** Calls of tools that the upstream ran, by the type of their items. */
function toolCalls(totals: Totals = new Map()): Record<string, number> {
  const calls = [...totals].filter(([field]) => field.startsWith(TOOL_CALLS));
  return Object.fromEntries(calls.map(([field, count]) => [field.slice(TOOL_CALLS.length), count]));
}
