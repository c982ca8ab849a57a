/** The HTTP surface: who may, what is where, and what an error looks like. No business rules. */
import { randomUUID } from 'node:crypto';
import { type ApiKey, InvalidRequestError, NotFoundError } from '@millrace/core';
import type { FileStorage } from '@millrace/files';
import type { Store } from '@millrace/queue';
import express, { type Express } from 'express';
import { authenticate } from './authenticate.ts';
import { batchesRoutes } from './batches.ts';
import { chatCompletionsRoutes } from './chat-completions.ts';
import { filesRoutes } from './files.ts';
import { flowsRoutes } from './flows.ts';
import { jobsRoutes } from './jobs.ts';
import { closedLimits, limitsRoutes, openBreakers } from './limits.ts';
import { openMetrics } from './metrics.ts';
import { modelsRoutes } from './models.ts';
import { openApiDocument } from './openapi/document.ts';
import { REFERENCE_CSP, referencePage } from './openapi/reference-page.ts';
import type { PassingOn } from './pass-on.ts';
import { queuesRoutes } from './queues.ts';
import { discard } from './read-body.ts';
import { errorHandler } from './respond.ts';
import { responsesRoutes } from './responses.ts';
import { webhooksRoutes } from './webhooks.ts';

const FILES_PATH = '/v1/files';

export function createApp(
  store: Store,
  keys: readonly ApiKey[],
  files: FileStorage,
  passing: PassingOn | null,
): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.use((_request, response, next) => {
    response.set('x-request-id', `req_${randomUUID().replaceAll('-', '')}`);
    next();
  });
  // Probes come without a key.
  app.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' });
  });
  app.get('/readyz', async (_request, response) => {
    const redis = store.liveness.alive();
    const server = store.server();
    const ready = redis && server !== null;
    // A closed limit is no reason against it: jobs are taken, and wait.
    const [limits, breakers] = ready ? await Promise.all([closedLimits(store), openBreakers(store)]) : [null, null];
    response.status(ready ? 200 : 503).json({
      ready,
      redis,
      durability: server?.durability ?? null,
      redis_version: server?.version ?? null,
      limits,
      breakers,
    });
  });
  // They hold no secret, and tell who has no key yet how to send one.
  const passedOn = passing?.paths ?? [];
  app.get('/openapi.json', (_request, response) => {
    response.json(openApiDocument(passedOn));
  });
  app.get('/reference', (_request, response) => {
    response.set('content-security-policy', REFERENCE_CSP).type('html').send(referencePage(passedOn));
  });
  app.use(authenticate(keys));
  const metrics = openMetrics(store);
  app.get('/metrics', async (_request, response) => {
    response.set('content-type', metrics.contentType).send(await store.liveness.guard(metrics.render));
  });
  app.use('/v1/jobs', jobsRoutes(store));
  for (const path of passedOn) {
    // Files are ours first.
    if (passing !== null && path !== FILES_PATH) app.use(path, (request, response) => passing.pass(request, response));
  }
  app.use('/v1/models', modelsRoutes(store));
  app.use('/v1/responses', responsesRoutes(store));
  app.use('/v1/chat/completions', chatCompletionsRoutes(store));
  app.use('/v1/batches', batchesRoutes(store));
  app.use(FILES_PATH, filesRoutes(store, files, passing?.paths.includes(FILES_PATH) ? passing.pass : null));
  app.use('/v1/flows', flowsRoutes(store));
  app.use('/v1/queues', queuesRoutes(store));
  app.use('/v1/webhooks', webhooksRoutes(store));
  app.use('/v1/limits', limitsRoutes(store));
  app.use((request) => {
    discard(request);
    throw new NotFoundError(`There is no ${request.method} ${request.path.slice(0, 200)} here.`, null, 'unknown_url');
  });
  // A refused request may still be sending; it is let finish, so that its sender reads the answer.
  app.use((error: unknown, request: express.Request, _response: express.Response, next: express.NextFunction) => {
    if (!request.readableEnded && error instanceof InvalidRequestError) discard(request);
    next(error);
  });
  app.use(errorHandler(store.log));
  return app;
}
