/** The dashboard process: shows the queues and their jobs. Redis may be away at start and later; the pages say so. */
import { createServer } from 'node:http';
import { createLog, loadConfig, readEnvironment, runRole, StartError } from '@millrace/core';
import { openFiles } from '@millrace/files';
import { openStore } from '@millrace/queue';
import { createDashboard } from './app.ts';
import { REQUEST_MS, SOCKET_IDLE_MS } from './bounds.ts';
import { builtWeb } from './build-web.ts';
import { openJobIndex } from './search/open-job-index.ts';

/** Requests under way may end within this time after SIGTERM. */
const STOP_MS = 5000;
/** Whoever reads an answer along by then is cut off: it may go on for minutes, and the page connects again by itself. */
const CUT_OFF_MS = 1000;
const HANG_UP_EVERY_MS = 20;

runRole(async () => {
  const environment = readEnvironment();
  const log = createLog('dashboard', environment.logLevel);
  if (environment.redisUrl === null) throw new StartError('REDIS_URL is not set; give e.g. redis://127.0.0.1:6379.');
  const config = await loadConfig(environment);
  let unfit: string | null = null;
  const store = await openStore({
    redisUrl: environment.redisUrl,
    config,
    log,
    kind: 'hasty',
    // The dashboard stays up and says it: who looks for what is wrong must find it here.
    onUnfit: (error) => {
      unfit = error.message;
      log.error({ err: error }, error.message);
    },
  });
  const files = await openFiles(config.files, environment.dataDir);
  const web = await builtWeb();
  const index = openJobIndex(store, environment.dataDir);
  const { apiKeys: keys, apiPort } = environment;
  const terms = { store, index, files, keys, web, apiPort, unfit: () => unfit };
  const { app, live } = createDashboard(terms);
  const server = createServer(app);
  server.headersTimeout = REQUEST_MS;
  server.requestTimeout = REQUEST_MS;
  server.timeout = SOCKET_IDLE_MS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const { host, dashboardPort } = environment;
      const taken = `Port ${dashboardPort} on ${host} is taken; set MILLRACE_DASHBOARD_PORT to another one.`;
      reject(error.code === 'EADDRINUSE' ? new StartError(taken) : error);
    });
    server.listen(environment.dashboardPort, environment.host, resolve);
  });
  const address = server.address();
  log.info(
    { host: environment.host, port: typeof address === 'object' ? address?.port : environment.dashboardPort },
    'dashboard ready',
  );

  let stopping = false;
  const stop = async (signal: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    setTimeout(() => process.exit(1), STOP_MS).unref();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    live.close();
    // A connection whose answer ends now turns idle only afterwards, and would be kept open for the next request.
    const hangUp = setInterval(() => server.closeIdleConnections(), HANG_UP_EVERY_MS);
    const cutOff = setTimeout(() => server.closeAllConnections(), CUT_OFF_MS);
    await closed;
    clearTimeout(cutOff);
    clearInterval(hangUp);
    await index.close();
    files.close();
    await store.close();
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop('SIGTERM'));
  process.on('SIGINT', () => void stop('SIGINT'));
});
