/**
 * The heartbeat of a worker process: a thread with a connection of its own, so that an event loop that is blocked does
 * not look like a death, while a process that is killed falls silent at once.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Redis } from 'ioredis';
import { queueKeys } from './keys.ts';
import { BEAT_EVERY_MS } from './pace-of-life.ts';
import { defineScripts, runScript } from './scripts.ts';

export interface HeartbeatTerms {
  redisUrl: string;
  worker: string;
  queues: readonly string[];
}

/** What one beat brought to light. */
export interface Beat {
  /** How far this machine's clock is ahead of Redis's; only as exact as half the round trip. */
  skewMs: number;
  roundTripMs: number;
  /** Workers whose heartbeat is gone. */
  dead: { queue: string; worker: string }[];
}

/** A route that is back is used within a second; the system's own tries grow ever slower. */
const RECONNECT_MS = 250;
const CONNECT_TIMEOUT_MS = 1000;
/** A connection that says nothing for so long, not even that it is one, is gone without a word: a new one is tried. */
const SILENCE_MS = 1500;

const { redisUrl, worker, queues } = workerData as HeartbeatTerms;
const redis = new Redis(redisUrl, {
  connectTimeout: CONNECT_TIMEOUT_MS,
  retryStrategy: () => RECONNECT_MS,
  // A beat says "now": one that was not sent at once is not worth sending.
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  connectionName: 'millrace-heartbeat',
});
// The process's main connection tells of the same trouble.
redis.on('error', () => undefined);
defineScripts(redis);

let asking = false;
let quietSince = performance.now();

async function beat(): Promise<void> {
  const began = performance.now();
  if (began - quietSince > SILENCE_MS) {
    quietSince = began;
    redis.disconnect(true);
  }
  if (redis.status !== 'ready' || asking) return;
  asking = true;
  const clock = Date.now();
  try {
    const replies = await Promise.all(
      queues.map(async (queue) => {
        const keys = queueKeys(queue);
        return (await runScript(redis, 'beat', [keys.workers, keys.beats], [worker])) as string[];
      }),
    );
    quietSince = performance.now();
    const roundTripMs = quietSince - began;
    const [time] = replies[0] ?? [];
    const dead = replies.flatMap(([, ...gone], index) =>
      gone.map((name) => ({ queue: queues[index] ?? '', worker: name })),
    );
    const message: Beat = { skewMs: clock + roundTripMs / 2 - Number(time), roundTripMs, dead };
    parentPort?.postMessage(message);
  } catch {
    // Away, loading or read-only: the next beat is half a second away.
  } finally {
    asking = false;
  }
}

// At once when the connection is there again: whoever was heard first may be looking for the dead.
redis.on('ready', () => void beat());
setInterval(() => void beat(), BEAT_EVERY_MS);
