/**
 * Connections to Redis. Two kinds: `patient` ones wait for Redis to come back and carry on (workers), `hasty` ones fail
 * a command at once while Redis is away (the API, which must answer 503 within a second).
 */
import { Redis } from 'ioredis';
import { letMovesPassWhenFull } from './bull-scripts.ts';
import { defineScripts } from './scripts.ts';

/** Reconnect quickly at first, never slower than once a second: Redis being back should be noticed at once. */
const RECONNECT_STEP_MS = 50;
const RECONNECT_MAX_MS = 1000;
const CONNECT_TIMEOUT_MS = 5000;
/** An idle connection (a subscriber's) notices that its peer is gone without a word; then probes go out each second. */
const KEEP_ALIVE_MS = 10_000;

/**
 * Commands of one turn of the event loop leave in one write. One each was a tenth of what a worker did with its time;
 * and what Redis reads in one go it also writes to its append-only file, and fsyncs, in one.
 */
class GatheringRedis extends Redis {
  #gathering = false;

  override sendCommand(...command: Parameters<Redis['sendCommand']>): unknown {
    this.#gather();
    return super.sendCommand(...command);
  }

  #gather(): void {
    const { stream } = this;
    if (this.#gathering || stream === undefined) return;
    this.#gathering = true;
    stream.cork();
    setImmediate(() => {
      this.#gathering = false;
      stream.uncork();
    });
  }
}

/**
 * Opens a connection; it keeps reconnecting until closed. Errors are told to `onError` and never thrown.
 *
 * A command whose reply was lost is sent again on a patient connection, so every script must bear being run twice. On a
 * hasty one it is rejected as soon as the connection is lost: its caller has answered 503 by then.
 * @param url redis:// or rediss://
 */
export function connectRedis(url: string, kind: 'patient' | 'hasty', onError: (error: Error) => void): Redis {
  const patient = kind === 'patient';
  const redis = new GatheringRedis(url, {
    // 0: without it a hasty connection would neither send again nor reject what was under way, but forget it.
    maxRetriesPerRequest: patient ? null : 0,
    enableOfflineQueue: patient,
    autoResendUnfulfilledCommands: patient,
    connectTimeout: CONNECT_TIMEOUT_MS,
    keepAlive: KEEP_ALIVE_MS,
    retryStrategy: (times) => Math.min(times * RECONNECT_STEP_MS, RECONNECT_MAX_MS),
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    enableAutoPipelining: false,
    connectionName: 'millrace',
  });
  redis.on('error', onError);
  letMovesPassWhenFull(redis);
  defineScripts(redis);
  return redis;
}

const CLOSE_BOUND_MS = 1000;

/** Closes a connection: politely while Redis answers, by hanging up otherwise. Bounded; never throws. */
export async function closeRedis(redis: Redis): Promise<void> {
  if (redis.status === 'ready') {
    const hangUp = setTimeout(() => redis.disconnect(), CLOSE_BOUND_MS);
    // A QUIT that fails means the connection is gone, which is what was wanted.
    await redis.quit().catch(() => undefined);
    clearTimeout(hangUp);
  }
  redis.disconnect();
}
