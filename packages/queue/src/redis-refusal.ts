/** What Redis's own refusals mean to a caller: away, full, loading or read-only is "not now", never "you did wrong". */
import { ShedError } from '@millrace/core';

const AWAY_RETRY_SECONDS = 1;
const REFUSED_RETRY_SECONDS = 5;

/** Whether a write that was under way has arrived is not known then, so it is not said either way. */
export function redisAway(): ShedError {
  return new ShedError(
    503,
    'Redis cannot be reached. Try again; with the same idempotency key nothing is taken twice.',
    'redis_unavailable',
    AWAY_RETRY_SECONDS,
  );
}

const AWAY =
  /LOADING|READONLY|MASTERDOWN|NOREPLICAS|Connection is closed|isn't writeable|ECONN|EPIPE|ETIMEDOUT|max retries/i;

/** The ShedError that a refusal of Redis is to a caller; any other error as it is. */
export function translateRedisError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof ShedError) return error;
  const text = causes(error);
  if (/\bOOM\b|maxmemory/.test(text)) {
    return new ShedError(
      503,
      'Redis is full; nothing was accepted. Try again later.',
      'redis_full',
      REFUSED_RETRY_SECONDS,
    );
  }
  if (/MISCONF/.test(text)) {
    return new ShedError(
      503,
      'Redis cannot write to its disk; nothing was accepted. Try again later.',
      'redis_disk_full',
      REFUSED_RETRY_SECONDS,
    );
  }
  return AWAY.test(text) ? redisAway() : error;
}

/** An EXEC that was refused says so only in the errors of the commands before it. */
function causes(error: Error): string {
  const previous = (error as { previousErrors?: unknown }).previousErrors;
  const inner = Array.isArray(previous) ? previous.map((one) => (one instanceof Error ? one.message : '')) : [];
  return [error.message, ...inner].join('\n');
}
