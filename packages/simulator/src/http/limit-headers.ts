/** OpenAI's rate-limit headers and the 429 that goes with them. */
import type { ServerResponse } from 'node:http';
import type { Admission, Gauge } from '../calls/limits.ts';
import { RefusedRequest } from '../request/refused.ts';

const MS_PER_SECOND = 1000;
const SECONDS_PER_MINUTE = 60;
const MINUTES_PER_HOUR = 60;

/** A time as OpenAI's reset headers write it: `12ms`, `1s`, `59.951s`, `6m0s`, `1h2m3s`. */
export function formatReset(durationMs: number): string {
  const ms = Math.max(0, Math.ceil(durationMs));
  if (ms < MS_PER_SECOND) return `${ms}ms`;
  const seconds = ms / MS_PER_SECOND;
  if (seconds < SECONDS_PER_MINUTE) return `${Number(seconds.toFixed(3))}s`;
  const whole = Math.ceil(seconds);
  const minutes = Math.floor(whole / SECONDS_PER_MINUTE);
  const tail = `${minutes % MINUTES_PER_HOUR}m${whole % SECONDS_PER_MINUTE}s`;
  return minutes < MINUTES_PER_HOUR ? tail : `${Math.floor(minutes / MINUTES_PER_HOUR)}h${tail}`;
}

function setGauge(res: ServerResponse, name: 'requests' | 'tokens', gauge: Gauge | undefined): void {
  if (!gauge) return;
  res.setHeader(`x-ratelimit-limit-${name}`, gauge.limit);
  res.setHeader(`x-ratelimit-remaining-${name}`, gauge.remaining);
  res.setHeader(`x-ratelimit-reset-${name}`, formatReset(gauge.resetMs));
}

/** Sets the headers of the limits there are. */
export function setLimitHeaders(res: ServerResponse, admission: Admission): void {
  setGauge(res, 'requests', admission.requests);
  setGauge(res, 'tokens', admission.tokens);
}

/** Asks the client to wait; whole seconds are rounded up, so that nobody who reads only those comes too early. */
export function setRetryAfter(res: ServerResponse, waitMs: number): void {
  res.setHeader('retry-after', Math.ceil(waitMs / MS_PER_SECOND));
  res.setHeader('retry-after-ms', Math.ceil(waitMs));
}

/** The 429 of a request over its limit. */
export function limitError(model: string, refusal: NonNullable<Admission['refusal']>): RefusedRequest {
  const { by, limit, used, requested, waitMs } = refusal;
  const what = by === 'requests' ? 'requests per min (RPM)' : 'tokens per min (TPM)';
  const message =
    waitMs === undefined
      ? `Request too large for ${model} on ${what}: Limit ${limit}, Requested ${requested}. The input or output tokens must be reduced in order to run successfully.`
      : `Rate limit reached for ${model} on ${what}: Limit ${limit}, Used ${used}, Requested ${requested}. Please try again in ${formatReset(waitMs)}.`;
  return new RefusedRequest(429, message, { type: by, code: 'rate_limit_exceeded' });
}
