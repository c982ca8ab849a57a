/** The API process: accepts jobs and shows them. Redis may be away at start and later; it answers 503 until it is back. */
import { createServer } from 'node:http';
import { hostname } from 'node:os';
import { createLog, loadConfig, readEnvironment, runRole, StartError } from '@millrace/core';
import { openFiles } from '@millrace/files';
import { keepFiles, keepLimitWatch, keepRepair, keepRetention, openStore } from '@millrace/queue';
import { createApp } from './app.ts';
import { HEADERS_MS } from './bounds.ts';
import { openPassingOn } from './pass-on.ts';

/** Requests under way may end within this time after SIGTERM. */
const STOP_MS = 10_000;
const CLOSE_IDLE_EVERY_MS = 50;

runRole(async () => {
  const environment = readEnvironment();
  const log = createLog('api', environment.logLevel);
  if (environment.redisUrl === null) throw new StartError('REDIS_URL is not set; give e.g. redis://127.0.0.1:6379.');
  const config = await loadConfig(environment);
  const store = await openStore({
    redisUrl: environment.redisUrl,
    config,
    log,
    kind: 'hasty',
    onUnfit: (error) => {
      log.fatal({ err: error }, error.message);
      process.exit(1);
    },
  });
  const files = await openFiles(config.files, environment.dataDir);
  const passing = config.passThrough === false ? null : openPassingOn(store, config.passThrough);
  const server = createServer(createApp(store, environment.apiKeys, files, passing));
  server.headersTimeout = HEADERS_MS;
  // Bodies have bounds of their own: a stream of lines may last for hours.
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = `Port ${environment.apiPort} on ${environment.host} is taken; set MILLRACE_API_PORT to another one.`;
      reject(error.code === 'EADDRINUSE' ? new StartError(taken) : error);
    });
    server.listen(environment.apiPort, environment.host, resolve);
  });
  // With the host's name: in containers every process has the same number.
  const holder = `${hostname()}:${process.pid}`;
  const duties = [keepRetention(store, holder), keepRepair(store, holder), keepLimitWatch(store, holder)];
  duties.push(keepFiles(store, files, holder));
  const address = server.address();
  log.info(
    { host: environment.host, port: typeof address === 'object' ? address?.port : environment.apiPort },
    'api ready',
  );

  let stopping = false;
  const stop = async (signal: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    setTimeout(() => process.exit(1), STOP_MS).unref();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    // Again and again: a connection is kept alive after each answer that was still under way.
    const idle = setInterval(() => server.closeIdleConnections(), CLOSE_IDLE_EVERY_MS);
    await closed;
    clearInterval(idle);
    await Promise.all(duties.map((duty) => duty.stop()));
    files.close();
    await passing?.close();
    await store.close();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      stop(signal).catch((error: unknown) => {
        log.error({ err: error }, 'The API could not stop cleanly');
        process.exit(1);
      });
    });
  }
});
