/** Keeps the heartbeat of this process going, and passes on what it brings to light. */
import { hash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import type { Log } from '@millrace/core';
import type { Beat, HeartbeatThreadTerms } from './heartbeat-thread.ts';
import { queueKeys } from './keys.ts';
import { redisAddress } from './redis-address.ts';
import { scriptSource } from './scripts.ts';

export interface HeartbeatTerms {
  redisUrl: string;
  worker: string;
  queues: readonly string[];
}

export interface Heartbeat {
  /** Resolves once the first beat was heard: a worker that dies before it is missed only when its locks run out. */
  first: Promise<void>;
  /** Falls silent; whatever still runs here is then taken for orphaned. */
  stop(): Promise<void>;
}

/** A thread that died is replaced, but not as fast as it can die. */
const REPLACE_MS = 1000;

/**
 * Starts the heartbeat.
 * @param terms `worker` must be one process's only, also after a restart in the same container
 * @param onBeat called with every beat that reached Redis
 */
export function startHeartbeat(terms: HeartbeatTerms, log: Log, onBeat: (beat: Beat) => void): Heartbeat {
  let thread: Worker;
  let replacing: NodeJS.Timeout | undefined;
  let stopped = false;
  let heard: () => void = () => undefined;
  const first = new Promise<void>((resolve) => {
    heard = resolve;
  });
  const workerData = threadTerms(terms);
  const start = (): void => {
    thread = new Worker(new URL('./heartbeat-thread.ts', import.meta.url), { workerData, name: 'heartbeat' });
    thread.unref();
    thread.on('message', (beat: Beat) => {
      heard();
      onBeat(beat);
    });
    thread.on('error', (error) => log.error({ err: error }, 'The heartbeat failed'));
    thread.on('exit', () => {
      if (stopped) return;
      log.error({}, 'The heartbeat ended; starting it again');
      replacing = setTimeout(start, REPLACE_MS);
      replacing.unref();
    });
  };
  start();
  return {
    first,
    stop: async () => {
      stopped = true;
      clearTimeout(replacing);
      await thread.terminate();
    },
  };
}

function threadTerms({ redisUrl, worker, queues }: HeartbeatTerms): HeartbeatThreadTerms {
  const lua = scriptSource('beat');
  return {
    address: redisAddress(redisUrl),
    worker,
    queues: queues.map((name) => {
      const { workers, beats } = queueKeys(name);
      return { name, keys: [workers, beats] };
    }),
    script: { lua, sha1: hash('sha1', lua) },
  };
}
