import { expect, test } from 'vitest';
import { rateLimitGauges } from './rate-limit-headers.ts';

const read = (headers: Record<string, string>) => rateLimitGauges((name) => headers[name] ?? null);

test('both gauges are read as OpenAI writes them', () => {
  const headers = {
    ...{ 'x-ratelimit-limit-requests': '3000', 'x-ratelimit-remaining-requests': '2999' },
    ...{ 'x-ratelimit-limit-tokens': '600000', 'x-ratelimit-remaining-tokens': '0' },
  };
  expect(read(headers)).toEqual({
    requests: { limit: 3000, remaining: 2999 },
    tokens: { limit: 600_000, remaining: 0 },
  });
});

test.each([
  ['none', {}],
  ['half a pair', { 'x-ratelimit-limit-requests': '10' }],
  ['garbage', { 'x-ratelimit-limit-requests': '10', 'x-ratelimit-remaining-requests': 'many' }],
  ['a negative number', { 'x-ratelimit-limit-requests': '10', 'x-ratelimit-remaining-requests': '-1' }],
  [
    'a number beyond all measure',
    { 'x-ratelimit-limit-requests': '9'.repeat(40), 'x-ratelimit-remaining-requests': '1' },
  ],
  ['a limit of nothing', { 'x-ratelimit-limit-requests': '0', 'x-ratelimit-remaining-requests': '0' }],
])('%s says nothing', (_, headers) => {
  expect(read(headers)).toEqual({ requests: null, tokens: null });
});
