/** The dashboard's HTTP: who may, what is where. The pages are files; what they show and do is below /api. */
import type { ApiKey } from '@millrace/core';
import type { FileStorage } from '@millrace/files';
import type { Store } from '@millrace/queue';
import express, { type Express } from 'express';
import { BOARD_PATH, boardHandlers } from './board.ts';
import { HISTORY_POLL_MS, POLL_MS } from './bounds.ts';
import type { Web } from './build-web.ts';
import { openEndedSessions } from './ended-sessions.ts';
import { historyView } from './history-view.ts';
import { type Live, openLive, polled } from './live.ts';
import { loopbackOnly } from './loopback-only.ts';
import { overviewView } from './overview-view.ts';
import { ownPagesOnly } from './own-pages-only.ts';
import { errorHandler, notFound, readOnly } from './respond.ts';
import { actionsRoutes } from './routes/actions.ts';
import { auditRoutes } from './routes/audit.ts';
import { batchesRoutes } from './routes/batches.ts';
import { costRoutes } from './routes/cost.ts';
import { failuresRoutes } from './routes/failures.ts';
import { flowsRoutes } from './routes/flows.ts';
import { jobRoutes } from './routes/job.ts';
import { jobsRoutes } from './routes/jobs.ts';
import { limitsRoutes } from './routes/limits.ts';
import { queuesRoutes } from './routes/queues.ts';
import { sessionRoutes } from './routes/session.ts';
import type { RouteTerms } from './routes/terms.ts';
import type { JobIndex } from './search/job-index.ts';
import { boardHeaders, securityHeaders } from './security-headers.ts';
import { serveWeb } from './serve-web.ts';
import { openSessions } from './sessions.ts';
import { openSnapshots } from './snapshot.ts';
import { topicsOf } from './topics.ts';
import { openWrongKeys } from './wrong-keys.ts';

export interface Dashboard {
  app: Express;
  live: Live;
}

export interface DashboardTerms {
  store: Store;
  index: JobIndex;
  files: FileStorage;
  keys: readonly ApiKey[];
  web: Web;
  /** Where the API listens, on this host: told in code that is copied. */
  apiPort: number;
  /** Why the Redis there is now may not be used, if so. */
  unfit: () => string | null;
}

export function createDashboard({ store, index, files, keys, web, apiPort, unfit }: DashboardTerms): Dashboard {
  const wrongKeys = openWrongKeys(store);
  const sessions = openSessions(keys, { ended: openEndedSessions(store), onWrongKey: wrongKeys.bearerRefused });
  const readSnapshot = openSnapshots(store, index, unfit);
  const notRead = (error: unknown): void => store.log.error({ err: error }, 'The figures could not be read');
  const overview = polled(async () => overviewView(store.config, await readSnapshot()), POLL_MS, notRead);
  const history = polled(
    async () => historyView(store.config, (await readSnapshot()).figures),
    HISTORY_POLL_MS,
    notRead,
  );
  const live = openLive(topicsOf({ store, index, overview, history }), web.version);

  const terms: RouteTerms = { store, index, files, apiPort };

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  // Who asks is what a proxy on this machine says; anybody else could say anything.
  app.set('trust proxy', 'loopback');
  app.use(securityHeaders);
  if (keys.length === 0) app.use(loopbackOnly);
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
  app.use(['/api', BOARD_PATH], sessions.read);
  app.use('/api/session', sessionRoutes(sessions, wrongKeys, terms));
  app.use('/api', sessions.required, sessions.guardChanges);
  app.get('/api/live', ownPagesOnly, sessions.endWithSession, (request, response) => live.watch(request, response));
  app.use('/api/actions', actionsRoutes(terms));
  app.use('/api/audit', auditRoutes(terms));
  app.use('/api/batches', batchesRoutes(terms));
  app.use('/api/cost', costRoutes(terms));
  app.use('/api/failures', failuresRoutes(terms));
  app.use('/api/flows', flowsRoutes(terms));
  app.use('/api/jobs', jobsRoutes(terms));
  app.get('/api/jobs/:id/events', ownPagesOnly, sessions.endWithSession);
  app.use('/api/jobs', jobRoutes(terms));
  app.use('/api/limits', limitsRoutes(terms));
  app.use('/api/queues', queuesRoutes(terms));
  app.use('/api', notFound);
  app.use(BOARD_PATH, sessions.requiredOfPages, readOnly, boardHeaders, ...boardHandlers(store));
  app.use(serveWeb(web));
  app.use(notFound);
  app.use(errorHandler(store.log));
  return { app, live };
}
