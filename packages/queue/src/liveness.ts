/**
 * Knows within a second that Redis stopped answering, also when the socket stays open (a frozen server, a dropped
 * route): a ping runs at all times on the connection, and work waiting behind it is given up when it gets no reply.
 */
import { ShedError } from '@millrace/core';
import type { Redis } from 'ioredis';

const PING_EVERY_MS = 250;
/** With the ping's own pace this keeps a caller's wait under one second. */
const SILENCE_MS = 700;
const RETRY_AFTER_SECONDS = 1;

export interface Liveness {
  /** False while Redis is away or silent. */
  alive(): boolean;
  /**
   * The work's result.
   * @throws ShedError 503 when Redis is away, or falls silent before the work is done.
   */
  guard<T>(work: () => Promise<T>): Promise<T>;
  close(): void;
}

export function watchLiveness(redis: Redis): Liveness {
  let repliedAt = Date.now();
  let asked: number | null = null;
  const waiting = new Set<(error: Error) => void>();

  const silent = (): boolean => asked !== null && Date.now() - Math.max(asked, repliedAt) > SILENCE_MS;
  const alive = (): boolean => redis.status === 'ready' && !silent();
  const giveUp = (): void => {
    for (const reject of waiting) reject(redisAway());
    waiting.clear();
  };
  redis.on('close', giveUp);

  const timer = setInterval(() => {
    if (silent()) giveUp();
    if (redis.status !== 'ready' || asked !== null) return;
    asked = Date.now();
    const answered = (): void => {
      asked = null;
      repliedAt = Date.now();
    };
    // A failed ping is an answer too (LOADING, a closed connection): what matters is that something came back.
    redis.ping().then(answered, answered);
  }, PING_EVERY_MS);
  timer.unref();

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
      redis.off('close', giveUp);
    },
  };
}

function redisAway(): ShedError {
  return new ShedError(
    503,
    'Redis cannot be reached; nothing was accepted. Try again.',
    'redis_unavailable',
    RETRY_AFTER_SECONDS,
  );
}

const RETRY_LATER_SECONDS = 5;

/** What Redis's own refusals mean to a caller: full, loading or read-only is "not now", never "you did wrong". */
export function translateRedisError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const text = causes(error);
  if (/\bOOM\b|maxmemory/.test(text)) {
    return new ShedError(
      503,
      'Redis is full; nothing was accepted. Try again later.',
      'redis_full',
      RETRY_LATER_SECONDS,
    );
  }
  if (/MISCONF/.test(text)) {
    return new ShedError(
      503,
      'Redis cannot write to its disk; nothing was accepted. Try again later.',
      'redis_disk_full',
      RETRY_LATER_SECONDS,
    );
  }
  if (
    /LOADING|READONLY|MASTERDOWN|NOREPLICAS|Connection is closed|isn't writeable|ECONN|EPIPE|ETIMEDOUT|max retries/i.test(
      text,
    )
  ) {
    return redisAway();
  }
  return error;
}

/** An EXEC that was refused says so only in the errors of the commands before it. */
function causes(error: Error): string {
  const previous = (error as { previousErrors?: unknown }).previousErrors;
  const inner = Array.isArray(previous) ? previous.map((one) => (one instanceof Error ? one.message : '')) : [];
  return [error.message, ...inner].join('\n');
}
