import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLimiter } from './limits.ts';

const MINUTE_MS = 60_000;

test('no window of any length admits more than its share of the limit and one burst', () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 1, max: 900 })), {
    minLength: 50,
    maxLength: 200,
  });
  fc.assert(
    fc.property(steps, fc.constantFrom(1, 5, 60), (arrivals, burstSeconds) => {
      let now = 0;
      const limits = { requestsPerMinute: 600, tokensPerMinute: 60_000, burstSeconds };
      const limiter = createLimiter(limits, () => now);
      const admitted: { at: number; tokens: number }[] = [];
      for (const [pauseMs, tokens] of arrivals) {
        now += pauseMs;
        if (limiter.admit('m', () => tokens).admitted) admitted.push({ at: now, tokens });
      }
      let worst = 0;
      for (const [from, { at: start }] of admitted.entries()) {
        let requests = 0;
        let tokensBefore = 0;
        for (const { at, tokens } of admitted.slice(from)) {
          requests += 1;
          const seconds = (at - start) / 1000 + burstSeconds;
          // The last call may be larger than what is left of the burst: it leaves a debt, once.
          worst = Math.max(worst, requests - 10 * seconds, tokensBefore - 1000 * seconds);
          tokensBefore += tokens;
        }
      }
      expect(worst).toBeLessThanOrEqual(1e-6);
    }),
    { numRuns: 50 },
  );
});

test('the wait a refusal names is enough, and not more than a millisecond too long', () => {
  let now = 0;
  const limiter = createLimiter({ requestsPerMinute: 60 }, () => now);
  expect(limiter.admit('m', () => 0).admitted).toBe(true);
  const waitMs = limiter.admit('m', () => 0).refusal?.waitMs ?? 0;
  expect(waitMs).toBe(1000);
  now += waitMs - 2;
  expect(limiter.admit('m', () => 0).admitted).toBe(false);
  now += 2;
  expect(limiter.admit('m', () => 0).admitted).toBe(true);
});

test('a refused call is charged nothing, by neither bucket', () => {
  const limiter = createLimiter({ requestsPerMinute: 600, tokensPerMinute: 6000 }, () => 0);
  expect(limiter.admit('m', () => 90).admitted).toBe(true);
  const refused = limiter.admit('m', () => 90);
  expect(refused.refusal).toMatchObject({ by: 'tokens', limit: 6000, requested: 90 });
  expect(refused.requests?.remaining).toBe(9);
  expect(limiter.admit('m', () => 10).admitted).toBe(true);
});

test('models do not share a limit', () => {
  const limiter = createLimiter({ requestsPerMinute: 60 }, () => 0);
  expect(limiter.admit('a', () => 0).admitted).toBe(true);
  expect(limiter.admit('b', () => 0).admitted).toBe(true);
  expect(limiter.admit('a', () => 0).admitted).toBe(false);
});

test('a call larger than the burst passes a full bucket and is paid back; one beyond the limit never passes', () => {
  let now = 0;
  const limiter = createLimiter({ tokensPerMinute: 6000 }, () => now);
  expect(limiter.admit('m', () => 3000).admitted).toBe(true);
  expect(limiter.admit('m', () => 1).refusal?.waitMs).toBe(29_010);
  now += MINUTE_MS;
  expect(limiter.admit('m', () => 6001).refusal).toEqual({ by: 'tokens', limit: 6000, used: 5900, requested: 6001 });
});
