/** The pages: who may look, what is where. Everything here is looking; what changes a job goes through the API. */
import type { ApiKey } from '@millrace/core';
import {
  type JobWithAnswer,
  noSuchJob,
  queueNamed,
  readJob,
  readTurns,
  readWaiting,
  type Store,
  type Turn,
} from '@millrace/queue';
import express, { type Express } from 'express';
import { authenticate } from './authenticate.ts';
import { BOARD_PATH, boardHandlers } from './board.ts';
import { POLL_MS } from './bounds.ts';
import { flowRoutes } from './flow-routes.ts';
import { type LivePages, openLivePages } from './live-pages.ts';
import { loopbackOnly } from './loopback-only.ts';
import { ownPagesOnly } from './own-pages-only.ts';
import { PUBLIC_DIRECTORY, pageVersion } from './page-version.ts';
import { jobPage } from './pages/job.ts';
import { jobJson } from './pages/job-json.ts';
import { overviewPage, overviewRegions } from './pages/overview.ts';
import { openPoll } from './poll.ts';
import { errorHandler, notFound, readOnly, sendPage } from './respond.ts';
import { boardHeaders, securityHeaders } from './security-headers.ts';
import { openSnapshots, type Snapshot } from './snapshot.ts';

/** Under an address that names the page's version a file never changes. */
const STATIC_MAX_AGE_SECONDS = 31_536_000;

export interface Dashboard {
  app: Express;
  live: LivePages;
}

/** @param unfit why the Redis there is now may not be used, if so */
export function createDashboard(store: Store, keys: readonly ApiKey[], unfit: () => string | null): Dashboard {
  const queues = [...store.queues.keys()].map((name) => ({ name, model: store.config.queues[name]?.model ?? null }));
  const version = pageVersion(queues.map(({ name }) => name));
  const poll = openPoll(openSnapshots(store, unfit), POLL_MS);
  const live = openLivePages(version);
  const found = async (id: string): Promise<JobWithAnswer> => {
    const job = await store.liveness.guard(() => readJob(store, id));
    if (job === null) throw noSuchJob(id);
    return job;
  };
  const turnsOf = async ({ job }: JobWithAnswer): Promise<Turn[]> =>
    job.turns === 0 ? [] : await store.liveness.guard(() => readTurns(store, queueNamed(store, job.queue), job.id));

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.use(securityHeaders);
  if (keys.length === 0) app.use(loopbackOnly);
  app.use(readOnly);
  // Probes come without a key.
  app.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' });
  });
  app.get('/readyz', (_request, response) => {
    const redis = store.liveness.alive();
    const server = store.server();
    const ready = redis && server !== null;
    response
      .status(ready ? 200 : 503)
      .json({ ready, redis, durability: server?.durability ?? null, redis_version: server?.version ?? null });
  });
  if (keys.length > 0) app.use(authenticate(keys));

  app.use('/public', (request, response, next) => {
    const dated = request.query.v === version;
    response.set('cache-control', dated ? `private, max-age=${STATIC_MAX_AGE_SECONDS}, immutable` : 'no-cache');
    next();
  });
  app.use('/public', express.static(PUBLIC_DIRECTORY, { index: false, redirect: false, cacheControl: false }));
  app.get('/', async (_request, response) => {
    sendPage(response, overviewPage(await poll.latest(), queues, version));
  });
  app.use('/events', ownPagesOnly);
  app.get('/events', async (request, response) => {
    const regionsOf = (snapshot: Snapshot) => overviewRegions(snapshot, queues);
    await live.watch('/', () => ({ poll, regionsOf }), request, response);
  });
  app.get('/jobs/:id.json', async (request, response) => {
    const shown = await found(request.params.id);
    response.json(jobJson(shown, await turnsOf(shown)));
  });
  app.get('/jobs/:id', async (request, response) => {
    const shown = await found(request.params.id);
    const tellWaiting = await store.liveness.guard(() => readWaiting(store, [shown.job]));
    const [waitingFor, turns] = [tellWaiting(shown.job), await turnsOf(shown)];
    sendPage(response, jobPage(shown, { waitingFor, turns, now: Date.now(), version }));
  });
  app.use(flowRoutes(store, live, version));
  app.use(BOARD_PATH, boardHeaders, ...boardHandlers(store));
  app.use(notFound);
  app.use(errorHandler(store.log, version));
  return { app, live };
}
