/** /v1/limits: what is configured, learned and left of each limit, who waits for it, and opening one that is closed. */
import { NotFoundError } from '@millrace/core';
import {
  type BreakerStatus,
  groupsOf,
  type LimitStatus,
  type LimitsStatus,
  noteAct,
  readBreakers,
  readLimits,
  resumeLimit,
  type Store,
} from '@millrace/queue';
import { Router } from 'express';
import { callerName } from './authenticate.ts';
import { limitView } from './limit-view.ts';

export function limitsRoutes(store: Store): Router {
  const routes = Router();
  const guard = store.liveness.guard;

  routes.get('/', async (_request, response) => {
    const [{ now, limits }, breakers] = await guard(() => Promise.all([readLimits(store), readBreakers(store)]));
    response.json({
      object: 'list',
      data: limits.map((limit) => limitView(limit, now)),
      breakers: [...breakers].map(([upstream, breaker]) => breakerView(upstream, breaker)),
    });
  });

  routes.post('/:name/resume', async (request, response) => {
    const { name } = request.params;
    limitNamed(store, name);
    const opened = await guard(async () => resumeLimit(store.redis, name, await groupsOf(store.redis, name)));
    if (opened) {
      store.log.info({ limit: name }, 'The limit was resumed');
      const act = { what: 'limit.resume', target: name, detail: 'through the API' };
      await noteAct(store, { who: callerName(request), role: 'operator', ...act });
    }
    const { now, limits } = await guard(() => readLimits(store));
    response.json(limits.filter((limit) => limit.name === name).map((limit) => limitView(limit, now))[0]);
  });
  return routes;
}

/** @throws NotFoundError naming the limits there are. */
function limitNamed(store: Store, name: string): void {
  const { limits } = store.config;
  if (Object.hasOwn(limits, name)) return;
  throw new NotFoundError(
    `There is no limit '${name.slice(0, 80)}'. The limits are: ${Object.keys(limits).join(', ')}.`,
    'limit',
    'limit_not_found',
  );
}

function breakerView(
  upstream: string,
  { state, since, failures, nextProbeAt }: BreakerStatus,
): Record<string, unknown> {
  const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1000);
  return { upstream, state, since: seconds(since), failures, next_probe_at: seconds(nextProbeAt) };
}

/** The circuit breakers that are not closed, for /readyz; null where that could not be read. */
export async function openBreakers(store: Store): Promise<Record<string, unknown>[] | null> {
  try {
    const breakers = await store.liveness.guard(() => readBreakers(store));
    return [...breakers].filter(([, { state }]) => state !== 'closed').map(([name, one]) => breakerView(name, one));
  } catch {
    // That Redis does not answer is what /readyz says itself.
    return null;
  }
}

/** The limits that are closed as a whole, for /readyz; null where that could not be read. */
export async function closedLimits(store: Store): Promise<Record<string, unknown>[] | null> {
  let read: LimitsStatus;
  try {
    read = await store.liveness.guard(() => readLimits(store));
  } catch {
    // That Redis does not answer is what /readyz says itself.
    return null;
  }
  return read.limits.flatMap(({ name, closed }: LimitStatus) =>
    closed === null ? [] : [{ name, closed: closed.why, since: closed.since / 1000 }],
  );
}
