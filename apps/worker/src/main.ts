/**
 * The worker process: takes jobs of every configured queue until it is told to stop. SIGTERM and SIGINT drain it:
 * what can end within the grace ends, the rest is given back without using up an attempt.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import {
  createLog,
  type Log,
  loadConfig,
  openAudit,
  type Reattachable,
  readEnvironment,
  runRole,
  StartError,
} from '@millrace/core';
import { openFiles } from '@millrace/files';
import { keepActions, keepFlows, keepOutbox, keepRepair, keepRetention, openStore, tellWorker } from '@millrace/queue';
import { openUpstream, type Upstream } from '@millrace/upstream';
import { openAdmission } from './admission.ts';
import { keepBatches } from './batches/keep-batches.ts';
import { startHealth } from './health.ts';
import { heedCancels } from './heed-cancels.ts';
import { openIsolation } from './isolation.ts';
import { openLimits } from './limits.ts';
import { followConfig, openRouting } from './routing.ts';
import { attemptRun } from './run-attempt.ts';
import { type Runner, startRunner } from './runner.ts';
import { openShadows } from './shadow/open-shadows.ts';
import { type BackgroundSharing, shareBackground } from './share-background.ts';
import { takeWebhooks } from './take-webhooks.ts';
import { keepVitalSigns } from './vital-signs.ts';
import { watchClock } from './watch-clock.ts';
import { within } from './within.ts';

/** How long cancelling a response upstream may take whose job has ended. */
const ABANDON_MS = 10_000;
/** After the grace and the giving back: the process ends by now, whatever still hangs. */
const EXIT_BOUND_MS = 10_000;
/** How long taking back what this process told of itself may take; it expires anyway. */
const STOP_TELLING_MS = 1000;
/** Jobs wait, there is room, and nothing was taken: longer than any outage's aftermath that ended well. */
const RESTART_AFTER_MS = 30_000;

runRole(async () => {
  const environment = readEnvironment();
  const log = createLog('worker', environment.logLevel);
  if (environment.redisUrl === null) throw new StartError('REDIS_URL is not set; give e.g. redis://127.0.0.1:6379.');
  const config = await loadConfig(environment);
  // Not only host and process id: a container that starts again has both from its dead predecessor.
  const worker = `${hostname()}:${process.pid}:${randomBytes(3).toString('hex')}`;
  const store = await openStore({
    redisUrl: environment.redisUrl,
    config,
    log,
    kind: 'patient',
    onUnfit: (error) => fail(log, error),
  });

  // Before the first job is taken: a port that is taken must not cost a call that is under way.
  const runners: Runner[] = [];
  const inFlight = (): number => runners.reduce((sum, runner) => sum + runner.inFlight(), 0);
  let stopping = false;
  const clock = watchClock(log, (right) => {
    for (const runner of runners) runner.hold('clock', !right);
  });
  const health =
    environment.workerPort === null
      ? null
      : await startHealth(environment.host, environment.workerPort, {
          ready: () => ({
            ready: store.server() !== null && store.liveness.alive() && clock.right() && !stopping,
            redis: store.liveness.alive(),
            clock_skew_ms: clock.skewMs(),
            stopping,
            ...store.server(),
          }),
          inFlight,
          restarts: () => runners.reduce((sum, runner) => sum + runner.restarts(), 0),
          clockSkewMs: clock.skewMs,
        });

  const upstreams = new Map<string, Upstream>();
  const sharings: BackgroundSharing[] = [];
  for (const [name, settings] of Object.entries(config.upstreams)) {
    const sharing = shareBackground(store, name, settings, log);
    const upstream = openUpstream(settings, {
      onFault: (error) => log.error({ err: error }, 'A call ended by a fault of ours'),
      onBackground: sharing.learned,
    });
    await sharing.keep(upstream);
    upstreams.set(name, upstream);
    sharings.push(sharing);
  }
  const audit =
    config.audit === undefined
      ? null
      : openAudit(config.audit, (error) => log.error({ err: error }, 'The audit log cannot be written'));
  const run = attemptRun(config, upstreams, audit);

  const heartbeat = await keepVitalSigns(store, environment.redisUrl, worker, clock, log);
  const admission = openAdmission(store, openLimits(store, worker, log), log);
  const isolation = openIsolation({ audit, background: (name) => upstreams.get(name)?.background() ?? 'unknown' });
  const routing = openRouting(config, log);
  const following = followConfig(routing, environment, log);
  const shadows = openShadows({ store, upstreams, admission, routing, audit, log });
  const lockMs = config.worker.lockSeconds * 1000;
  for (const queue of store.queues.values()) {
    const settings = config.queues[queue.name];
    if (settings === undefined) throw new Error(`the store has a queue '${queue.name}' that the configuration has not`);
    const abandon = async ({ upstreamId }: Reattachable) =>
      upstreams.get(settings.upstream)?.cancelResponse(upstreamId, ABANDON_MS);
    const terms = {
      store,
      queue,
      settings,
      lockMs,
      worker,
      run,
      admission,
      routing,
      shadows,
      isolation,
      restartAfterMs: RESTART_AFTER_MS,
      abandon,
      log,
    };
    const runner = startRunner(terms);
    runner.hold('clock', !clock.right());
    runners.push(runner);
  }
  const heeding = heedCancels(environment.redisUrl, store, runners, log);
  const duties = [
    keepRetention(store, worker),
    keepRepair(store, worker),
    keepOutbox(store, worker),
    keepFlows(store, worker),
    keepActions(store, worker),
  ];
  const webhooks = takeWebhooks(store, log);
  const files = await openFiles(config.files, environment.dataDir);
  const batches = keepBatches(store, files, worker, log);

  const told = await tellWorker(
    store,
    worker,
    {
      version: versionOf(),
      host: hostname(),
      pid: process.pid,
      startedAt: Date.now(),
      concurrency: Object.fromEntries(Object.entries(config.queues).map(([name, queue]) => [name, queue.concurrency])),
    },
    (error) => log.warn({ err: error }, 'What this worker is could not be told; trying again'),
  );

  log.info({ worker, ...(health === null ? {} : { port: health.port }), count: runners.length }, 'worker ready');

  const stop = async (signal: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    log.info({ signal, count: inFlight() }, 'stopping: what can end within the grace ends, the rest is given back');
    const graceMs = config.worker.graceSeconds * 1000;
    setTimeout(() => process.exit(1), graceMs + EXIT_BOUND_MS).unref();
    following.close();
    const drained = runners.map((runner) => runner.drain(graceMs));
    await Promise.all([...drained, shadows.close(), webhooks.close(), batches.stop()]);
    files.close();
    isolation.close();
    admission.close();
    await Promise.all(duties.map((duty) => duty.stop()));
    for (const sharing of sharings) sharing.stop();
    await heartbeat.stop();
    await within(STOP_TELLING_MS, told.stop());
    await Promise.all([...upstreams.values()].map((upstream) => upstream.close()));
    await Promise.all([audit?.close(), health?.close(), heeding.stop(), store.close()]);
    log.info({}, 'worker stopped');
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      stop(signal).catch((error: Error) => fail(log, error));
    });
  }
});

function fail(log: Log, error: Error): never {
  log.fatal({ err: error }, error.message);
  process.exit(1);
}

/** Of all of Millrace: its packages have the version of the root. */
function versionOf(): string {
  const file = join(import.meta.dirname, '..', 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
