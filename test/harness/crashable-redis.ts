/** A Redis that dies and comes back on the same port and data as often as a test wants, and is gone afterwards. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeRedis, connectRedis } from '@millrace/queue';
import { type LocalRedis, startLocalRedis } from '@millrace/queue/local-redis';
import { REDIS_PACKAGE_DIR } from './redis.ts';

export interface CrashableRedis {
  url: string;
  port: number;
  /** SIGKILL, and gone. */
  kill(): Promise<void>;
  /** SIGTERM, and gone. */
  stop(): Promise<void>;
  /** It stands still, with every connection open, until `thaw`. */
  freeze(): void;
  thaw(): void;
  /** Resolves once the server is gone, whoever ended it. */
  exited(): Promise<void>;
  /** On the same port and data. @throws StartError when it does not come up. */
  start(): Promise<void>;
  /** One command on a connection of its own, such as `CONFIG SET …`. @throws what Redis replies. */
  command(name: string, ...args: string[]): Promise<unknown>;
  /** Stops it and removes its data. */
  dispose(): Promise<void>;
}

/** Starts one, with Millrace's settings and those given, in a new folder of `parent` (by default the temporary one). */
export async function crashableRedis(
  options: { settings?: Record<string, string>; parent?: string } = {},
): Promise<CrashableRedis> {
  const dataDir = await mkdtemp(join(options.parent ?? tmpdir(), 'millrace-fault-redis-'));
  const { settings = {} } = options;
  const start = (port?: number): Promise<LocalRedis> =>
    startLocalRedis({ dataDir, cacheDir: REDIS_PACKAGE_DIR, settings, ...(port === undefined ? {} : { port }) });
  let server = await start();
  const { port, url } = server;
  return {
    url,
    port,
    kill: async () => {
      server.kill();
      await server.stop();
    },
    stop: () => server.stop(),
    freeze: () => process.kill(server.pid, 'SIGSTOP'),
    thaw: () => process.kill(server.pid, 'SIGCONT'),
    exited: () => server.exited,
    start: async () => {
      await server.stop();
      server = await start(port);
    },
    command: async (name, ...args) => {
      const redis = connectRedis(url, 'patient', () => undefined);
      try {
        return await redis.call(name, ...args);
      } finally {
        await closeRedis(redis);
      }
    },
    dispose: async () => {
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
