/**
 * Rate limits as a provider enforces them: a token bucket of requests and one of tokens for each model, charged at
 * admission. In any 60 s no more than the limit plus one burst is admitted.
 */

export interface Limits {
  requestsPerMinute?: number;
  /** Counts input and `max_output_tokens`, or the answer's own length where that is not given. */
  tokensPerMinute?: number;
  /** How much may come at once, in seconds of the limit. Default 1. */
  burstSeconds?: number;
}

export interface Gauge {
  limit: number;
  remaining: number;
  /** Milliseconds until the bucket is full again. */
  resetMs: number;
}

export interface Admission {
  admitted: boolean;
  requests?: Gauge;
  tokens?: Gauge;
  refusal?: {
    by: 'requests' | 'tokens';
    limit: number;
    used: number;
    requested: number;
    /** Milliseconds until the same request would be admitted, if nothing else came; undefined: it never will be. */
    waitMs?: number;
  };
}

export interface Limiter {
  /** Charges one request; `tokens` is asked only where tokens are limited. A refused request is charged nothing. */
  admit(model: string, tokens: () => number): Admission;
}

const MINUTE_MS = 60_000;
const SECONDS_PER_MINUTE = 60;
const DEFAULT_BURST_SECONDS = 1;
/** Models with a bucket of their own; beyond it the longest unused is forgotten, which at worst refills it. */
const MAX_MODELS = 1000;
/** Forgives the rounding of many small refills. */
const EPSILON = 1e-6;

interface Bucket {
  limit: number;
  capacity: number;
  level: number;
  updatedMs: number;
}

function createBucket(limit: number, burstSeconds: number, nowMs: number): Bucket {
  const capacity = Math.max(1, (limit * burstSeconds) / SECONDS_PER_MINUTE);
  return { limit, capacity, level: capacity, updatedMs: nowMs };
}

function refill(bucket: Bucket, nowMs: number): void {
  const refilled = bucket.level + ((nowMs - bucket.updatedMs) * bucket.limit) / MINUTE_MS;
  bucket.level = Math.min(bucket.capacity, refilled);
  bucket.updatedMs = nowMs;
}

/** A request larger than the burst is let through when the bucket is full, and leaves a debt: so the rate still holds. */
function shortBy(bucket: Bucket, amount: number): number {
  return Math.max(0, Math.min(amount, bucket.capacity) - bucket.level - EPSILON);
}

function gauge(bucket: Bucket): Gauge {
  return {
    limit: bucket.limit,
    remaining: Math.max(0, Math.floor(bucket.level + EPSILON)),
    resetMs: ((bucket.capacity - bucket.level) * MINUTE_MS) / bucket.limit,
  };
}

function refusal(by: 'requests' | 'tokens', bucket: Bucket, amount: number): NonNullable<Admission['refusal']> {
  const used = Math.min(bucket.limit, Math.ceil(bucket.limit - Math.max(0, bucket.level)));
  const base = { by, limit: bucket.limit, used, requested: amount };
  if (by === 'tokens' && amount > bucket.limit) return base;
  return { ...base, waitMs: Math.max(1, Math.ceil((shortBy(bucket, amount) * MINUTE_MS) / bucket.limit)) };
}

/** A limiter over `limits`; `now` is a clock in milliseconds that never goes back. */
export function createLimiter(limits: Limits, now: () => number = () => performance.now()): Limiter {
  const models = new Map<string, { requests: Bucket | undefined; tokens: Bucket | undefined }>();
  const { requestsPerMinute, tokensPerMinute, burstSeconds = DEFAULT_BURST_SECONDS } = limits;

  function bucketsOf(model: string, nowMs: number) {
    const make = (limit: number | undefined) =>
      limit === undefined ? undefined : createBucket(limit, burstSeconds, nowMs);
    const buckets = models.get(model) ?? { requests: make(requestsPerMinute), tokens: make(tokensPerMinute) };
    models.delete(model);
    models.set(model, buckets);
    if (models.size > MAX_MODELS) {
      const oldest = models.keys().next();
      if (!oldest.done) models.delete(oldest.value);
    }
    return buckets;
  }

  return {
    admit(model, tokens) {
      if (requestsPerMinute === undefined && tokensPerMinute === undefined) return { admitted: true };
      const nowMs = now();
      const buckets = bucketsOf(model, nowMs);
      const charges: [by: 'requests' | 'tokens', bucket: Bucket, amount: number][] = [];
      if (buckets.requests) charges.push(['requests', buckets.requests, 1]);
      if (buckets.tokens) charges.push(['tokens', buckets.tokens, tokens()]);
      for (const [, bucket] of charges) refill(bucket, nowMs);
      const refused = charges.find(
        ([by, bucket, amount]) => shortBy(bucket, amount) > 0 || (by === 'tokens' && amount > bucket.limit),
      );
      if (!refused) for (const [, bucket, amount] of charges) bucket.level -= amount;
      return {
        admitted: !refused,
        ...(buckets.requests && { requests: gauge(buckets.requests) }),
        ...(buckets.tokens && { tokens: gauge(buckets.tokens) }),
        ...(refused && { refusal: refusal(...refused) }),
      };
    },
  };
}
