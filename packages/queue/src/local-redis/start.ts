/**
 * Brings up a Redis for one machine: finds or fetches one, starts it on a folder with Millrace's settings, and waits
 * until it answers. The data survive a stop and a crash; never do two servers share a folder.
 */
import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '@millrace/core';
import { awaitReady } from './await-ready.ts';
import { debianPackageServer } from './debian-package.ts';
import { dockerServer } from './docker.ts';
import { findServerOnPath } from './find-on-path.ts';
import { FolderInUseError, type FolderLock, lockFolder } from './folder-lock.ts';
import { freePort } from './free-port.ts';
import type { RedisServer, RedisSource } from './redis-server.ts';
import { noRedisMessage } from './remedies.ts';
import { logTail, type ServerProcess, startServerProcess } from './server-process.ts';
import { endOrphan, removeServerRecord, writeServerRecord } from './server-record.ts';
import { MILLRACE_SETTINGS, type Settings } from './settings.ts';

export interface LocalRedis {
  url: string;
  port: number;
  pid: number;
  version: string;
  source: RedisSource;
  /** Resolves once the server is gone, whoever ended it. */
  exited: Promise<void>;
  /** Ends the server (SIGTERM, a bounded wait, SIGKILL) and gives the folder back. Idempotent. */
  stop(): Promise<void>;
  /** SIGKILL, for tests of a crash. The folder is given back. */
  kill(): void;
}

export interface LocalRedisOptions {
  /** Where the data live, e.g. `.millrace/redis`. Made where there is none. */
  dataDir: string;
  /** Where an unpacked package is kept for the next start, e.g. `.millrace/redis-package`. */
  cacheDir: string;
  /** A free one where none is given. */
  port?: number;
  /** Lines for people, while something takes its time. */
  tell?: (line: string) => void;
  /** Beyond Millrace's own, or instead of them. */
  settings?: Settings;
  /** Gives up while finding, fetching and waiting; a server that is up is ended by `stop`. */
  signal?: AbortSignal;
}

/** A free port may be taken by another between being found and being used; three in a row is no chance. */
const PORT_TRIES = 3;

/**
 * Finds or fetches a Redis >= 7.0, starts it with Millrace's settings and waits until it answers PING.
 * @throws StartError when there is none (with each remedy), when the folder is in use, or when it does not come up.
 */
export async function startLocalRedis(options: LocalRedisOptions): Promise<LocalRedis> {
  mkdirSync(options.dataDir, { recursive: true });
  const dataDir = realpathSync(options.dataDir);
  const lock = lockDataFolder(dataDir);
  try {
    await endOrphan(dataDir);
    const server = await findServer(options, dataDir);
    for (let left = options.port === undefined ? PORT_TRIES : 1; ; left--) {
      const port = options.port ?? (await freePort());
      const started = await tryOn(port, server, dataDir, options);
      if (started !== null) return localRedis(started, port, server, dataDir, lock);
      options.signal?.throwIfAborted();
      if (left <= 1) throw new StartError(`Redis did not come up on port ${port}:\n${logTail(logFile(dataDir))}`);
    }
  } catch (error) {
    lock.release();
    throw error;
  }
}

const logFile = (dataDir: string) => join(dataDir, 'redis.log');

function lockDataFolder(dataDir: string): FolderLock {
  try {
    return lockFolder(join(dataDir, 'start.lock'));
  } catch (error) {
    if (!(error instanceof FolderInUseError)) throw error;
    throw new StartError(`${dataDir} is served by a Redis that process ${error.pid} has started: stop that one first`);
  }
}

async function findServer(options: LocalRedisOptions, dataDir: string): Promise<RedisServer> {
  const { signal, tell = () => {} } = options;
  const reasons: string[] = [];
  for (const find of [
    () => findServerOnPath(signal),
    () => debianPackageServer(options.cacheDir, { tell, signal }),
    () => dockerServer(dataDir, { tell, signal }),
  ]) {
    const found = await find();
    if (!('none' in found)) return found;
    reasons.push(found.none);
  }
  throw new StartError(noRedisMessage(reasons));
}

interface Started {
  process: ServerProcess;
  version: string;
}

/** null: it ended, or something else answers on the port. */
async function tryOn(
  port: number,
  server: RedisServer,
  dataDir: string,
  options: LocalRedisOptions,
): Promise<Started | null> {
  const settings = { ...MILLRACE_SETTINGS, ...options.settings };
  const started = await startServerProcess(server.commandLine(dataDir, port, settings), logFile(dataDir));
  writeServerRecord(dataDir, started.pid);
  const expected = { dir: server.reportedDir(dataDir), pid: server.ownProcess ? started.pid : null };
  let version: string | null = null;
  try {
    version = await awaitReady(port, expected, started.hasExited, options.signal);
    return version === null ? null : { process: started, version };
  } finally {
    if (version === null) {
      await started.stop();
      await server.killRemains(dataDir);
      removeServerRecord(dataDir);
    }
  }
}

function localRedis(
  started: Started,
  port: number,
  server: RedisServer,
  dataDir: string,
  lock: FolderLock,
): LocalRedis {
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await started.process.stop();
    await server.killRemains(dataDir);
    removeServerRecord(dataDir);
    lock.release();
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid: started.process.pid,
    version: started.version,
    source: server.source,
    exited: started.process.exited,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
    kill: () => {
      started.process.kill();
      // The record stays: the next start waits until the process is gone.
      lock.release();
    },
  };
}
