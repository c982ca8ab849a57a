/** /v1/queues: what waits, runs and has ended; pausing and resuming. */
import { countQueues, type QueueCounts, queueNamed, readCounters, type Store, setPaused } from '@millrace/queue';
import { Router } from 'express';

/** A queue's counters. */
type Totals = ReadonlyMap<string, number>;

export function queuesRoutes(store: Store): Router {
  const routes = Router();
  const guard = store.liveness.guard;
  const view = (counts: QueueCounts, totals: Totals | undefined): Record<string, unknown> => {
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
      cached_tokens: totals?.get('tokens:cached') ?? 0,
      tool_calls: toolCalls(totals),
    };
  };
  const read = async (): Promise<Record<string, unknown>[]> => {
    const [counts, totals] = await guard(() => Promise.all([countQueues(store), readCounters(store)]));
    return counts.map((one) => view(one, totals.get(one.name)));
  };

  routes.get('/', async (_request, response) => {
    response.json({ object: 'list', data: await read() });
  });

  const turn = async (name: string, paused: boolean): Promise<unknown> => {
    queueNamed(store, name);
    await guard(() => setPaused(store, name, paused));
    return (await read()).find((queue) => queue.name === name);
  };
  routes.post('/:name/pause', async (request, response) => {
    response.json(await turn(request.params.name, true));
  });
  routes.post('/:name/resume', async (request, response) => {
    response.json(await turn(request.params.name, false));
  });
  return routes;
}

const TOOL_CALLS = 'tool_calls:';

/** Calls of tools that the upstream ran, by the type of their items. */
function toolCalls(totals: Totals = new Map()): Record<string, number> {
  const calls = [...totals].filter(([field]) => field.startsWith(TOOL_CALLS));
  return Object.fromEntries(calls.map(([field, count]) => [field.slice(TOOL_CALLS.length), count]));
}
