/**
 * The Redis of this machine's stack: the one that REDIS_URL names, or one of our own, which is started again on the
 * same port when it dies. What was acknowledged is on disk, so nothing is lost by that.
 */
import { connect } from 'node:net';
import { join } from 'node:path';
import { StartError } from '@millrace/core';
import { type LocalRedis, startLocalRedis } from '@millrace/queue/local-redis';
import { pause } from './pause.ts';

const REACH_TIMEOUT_MS = 3000;
const DEFAULT_PORT = 6379;
const RESTART_PAUSE_MS = 1000;
/** One that dies again and again has a reason that a restart does not mend (a full disk). */
const MAX_RESTARTS = 5;

export interface KeptRedis {
  url: string;
  /** What it is, for people. */
  detail: string;
  /** Ends it, where it is ours. */
  stop(): Promise<void>;
}

/**
 * The Redis at `url`, which somebody else runs.
 * @throws StartError when nobody answers there. Whether it is fit for use is for the roles to say.
 */
export async function useRedis(url: string): Promise<KeptRedis> {
  const shown = withoutCredentials(url);
  const fault = await reach(new URL(url));
  if (fault !== null) throw new StartError(`REDIS_URL: nobody answers at ${shown} (${fault})`);
  return { url, detail: `${shown}, from REDIS_URL`, stop: async () => {} };
}

/** Starts one of our own, its data under `dataDir`. `later` gets a line when it dies and is started again. */
export async function runRedis(
  dataDir: string,
  shownDataDir: string,
  { tell, later, signal }: { tell: (line: string) => void; later: (line: string) => void; signal: AbortSignal },
): Promise<KeptRedis> {
  const places = { dataDir: join(dataDir, 'redis'), cacheDir: join(dataDir, 'redis-package') };
  let current: LocalRedis = await startLocalRedis({ ...places, tell, signal });
  const { port, url } = current;
  const ending = new AbortController();
  const keep = async (): Promise<void> => {
    for (let restarts = 1; ; restarts++) {
      await current.exited;
      if (ending.signal.aborted) return;
      await current.stop();
      if (restarts > MAX_RESTARTS) return later(`redis ended again and is left so; see ${places.dataDir}/redis.log`);
      later(`redis ended; starting it again on its data`);
      await pause(RESTART_PAUSE_MS, ending.signal);
      current = await startLocalRedis({ ...places, port, signal: ending.signal });
      later('redis is back');
    }
  };
  const keeping = keep().catch((error: unknown) => {
    if (!ending.signal.aborted) later(`redis: ${error instanceof Error ? error.message : String(error)}`);
  });
  return {
    url,
    detail: `${current.source} ${current.version}, ${join(shownDataDir, 'redis')} (kept between runs)`,
    stop: async () => {
      ending.abort();
      await current.stop();
      await keeping;
    },
  };
}

/** `url` as it may be shown. */
export function withoutCredentials(url: string): string {
  if (!URL.canParse(url)) return '(no URL)';
  const shown = new URL(url);
  shown.username = '';
  shown.password = '';
  return shown.href.replace(/\/$/, '');
}

function reach(url: URL): Promise<string | null> {
  const target =
    url.protocol === 'unix:'
      ? { path: url.pathname }
      : { host: url.hostname.replace(/^\[|\]$/g, '') || 'localhost', port: Number(url.port) || DEFAULT_PORT };
  return new Promise((done) => {
    const socket = connect({ ...target, timeout: REACH_TIMEOUT_MS });
    const end = (fault: string | null) => {
      socket.destroy();
      done(fault);
    };
    socket.once('connect', () => end(null));
    socket.once('timeout', () => end(`no answer within ${REACH_TIMEOUT_MS / 1000} s`));
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
}
