/** What an answer's headers say of the rate limit: `x-ratelimit-{limit,remaining}-{requests,tokens}`, as OpenAI names them. */

export interface RateLimitGauge {
  /** A minute's. */
  limit: number;
  remaining: number;
}

export interface RateLimitGauges {
  requests: RateLimitGauge | null;
  tokens: RateLimitGauge | null;
}

const WHOLE_NUMBER = /^\s*\d{1,15}\s*$/;

/** A pair that is not whole, not a number, or of a limit of 0, says nothing. */
export function rateLimitGauges(header: (name: string) => string | null): RateLimitGauges {
  const number = (name: string): number | null => {
    const text = header(`x-ratelimit-${name}`);
    return text !== null && WHOLE_NUMBER.test(text) ? Number(text) : null;
  };
  const gauge = (of: string): RateLimitGauge | null => {
    const [limit, remaining] = [number(`limit-${of}`), number(`remaining-${of}`)];
    return limit === null || limit === 0 || remaining === null ? null : { limit, remaining };
  };
  return { requests: gauge('requests'), tokens: gauge('tokens') };
}
