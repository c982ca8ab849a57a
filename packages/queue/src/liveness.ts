/**
 * Knows within a second that Redis stopped answering, also when the socket stays open (a frozen server, a dropped
 * route): a ping runs at all times on the connection, and work waiting behind it is given up when it gets no reply.
 */
import type { Redis } from 'ioredis';
import { redisAway, translateRedisError } from './redis-refusal.ts';

const PING_EVERY_MS = 250;
/** With the ping's own pace this keeps a caller's wait under one second. */
const SILENCE_MS = 700;
/**
 * A connection that said nothing for so long is given up for a new one: the route behind it may be gone for good, which
 * the operating system would notice a quarter of an hour later.
 */
const RECONNECT_MS = 5000;

export interface Liveness {
  /** False while Redis is away or silent. */
  alive(): boolean;
  /**
   * The work's result.
   * @throws ShedError 503 when Redis is away, or falls silent before the work is done; the work may be done all the same.
   */
  guard<T>(work: () => Promise<T>): Promise<T>;
  close(): void;
}

export function watchLiveness(redis: Redis): Liveness {
  let asked: number | null = null;
  let silent = false;
  /** Bytes that had come when the ping was sent: where more have come since, its reply is only behind them. */
  let bytesThen = 0;
  /** Since when this connection has been up without a word. */
  let quietSince = performance.now();
  const waiting = new Set<(error: Error) => void>();

  const heard = (): void => {
    asked = null;
    silent = false;
    quietSince = performance.now();
  };
  const giveUp = (): void => {
    for (const reject of waiting) reject(redisAway());
    waiting.clear();
  };
  const closed = (): void => {
    heard();
    giveUp();
  };
  redis.on('close', closed);
  redis.on('connect', heard);

  const bytesNow = (): number => redis.stream?.bytesRead ?? 0;
  const look = (): void => {
    if (asked !== null && bytesNow() > bytesThen) {
      bytesThen = bytesNow();
      asked = performance.now();
      quietSince = asked;
    }
    if (asked !== null && performance.now() - asked > SILENCE_MS) {
      silent = true;
      giveUp();
    }
    const connected = redis.status === 'ready' || redis.status === 'connect';
    if (connected && performance.now() - quietSince > RECONNECT_MS) {
      heard();
      redis.disconnect(true);
    }
    if (redis.status !== 'ready' || asked !== null) return;
    asked = performance.now();
    bytesThen = bytesNow();
    // A failed ping is an answer too (LOADING, a closed connection): what matters is that something came back.
    redis.ping().then(heard, heard);
  };
  // After the replies that have come in meanwhile: a process that was busy itself must not blame Redis.
  const timer = setInterval(() => setImmediate(look), PING_EVERY_MS);
  timer.unref();

  const alive = (): boolean => redis.status === 'ready' && !silent;
  return {
    alive,
    guard: async (work) => {
      if (!alive()) throw redisAway();
      let reject: (error: Error) => void = () => undefined;
      const silence = new Promise<never>((_, rejectSilence) => {
        reject = rejectSilence;
        waiting.add(rejectSilence);
      });
      try {
        return await Promise.race([work(), silence]);
      } catch (error) {
        throw translateRedisError(error);
      } finally {
        waiting.delete(reject);
      }
    },
    close: () => {
      clearInterval(timer);
      redis.off('close', closed);
      redis.off('connect', heard);
      giveUp();
    },
  };
}
