import OpenAI, { RateLimitError } from 'openai';
import { afterEach, expect, test } from 'vitest';
import { type Limits, type Simulator, startSimulator } from '../index.ts';

const open: Simulator[] = [];

async function start(limits: Limits) {
  const simulator = await startSimulator({ limits });
  open.push(simulator);
  return { simulator, client: new OpenAI({ apiKey: 'any', baseURL: simulator.url, maxRetries: 0 }) };
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((simulator) => simulator.close()));
});

test('an answer’s headers say what is left, request by request', async () => {
  const { client } = await start({ requestsPerMinute: 60, tokensPerMinute: 6000, burstSeconds: 60 });
  const headers = async () => {
    const { response } = await client.responses
      .create({ model: 'gpt-5', input: 'x'.repeat(400), max_output_tokens: 100 })
      .withResponse();
    return response.headers;
  };
  const first = await headers();
  expect(first.get('x-ratelimit-limit-requests')).toBe('60');
  expect(first.get('x-ratelimit-limit-tokens')).toBe('6000');
  expect(first.get('x-ratelimit-remaining-requests')).toBe('59');
  expect(first.get('x-ratelimit-remaining-tokens')).toBe('5800');
  expect(first.get('x-ratelimit-reset-requests')).toBe('1s');
  expect(first.get('x-ratelimit-reset-tokens')).toBe('2s');
  expect(first.get('openai-processing-ms')).toMatch(/^\d+$/);
  const second = await headers();
  expect(Number(second.get('x-ratelimit-remaining-tokens'))).toBeLessThan(5800);
});

test('a request over the limit is refused as OpenAI does, and is neither billed nor counted as seen', async () => {
  const { client, simulator } = await start({ requestsPerMinute: 6 });
  await client.responses.create({ model: 'gpt-5', input: 'first' });
  const error = await client.responses
    .create({ model: 'gpt-5', input: '[[fault:500 x1]]' })
    .catch((caught: unknown) => caught);
  if (!(error instanceof RateLimitError)) throw new Error('no RateLimitError');
  expect(error).toMatchObject({ status: 429, type: 'requests', code: 'rate_limit_exceeded', param: null });
  expect(error.message).toMatch(
    /Rate limit reached for gpt-5 on requests per min \(RPM\): Limit 6, Used \d, Requested 1\. Please try again in [\d.]+s\./,
  );
  const afterMs = Number(error.headers.get('retry-after-ms'));
  expect(afterMs).toBeGreaterThan(1000);
  expect(afterMs).toBeLessThanOrEqual(10_000);
  expect(error.headers.get('retry-after')).toBe(String(Math.ceil(afterMs / 1000)));
  expect(error.headers.get('x-ratelimit-remaining-requests')).toBe('0');
  expect(simulator.stats()).toMatchObject({ limited: 1, billed: 1 });
  simulator.setLimits({});
  await expect(client.responses.create({ model: 'gpt-5', input: '[[fault:500 x1]]' })).rejects.toMatchObject({
    status: 500,
  });
});

test('tokens are charged at admission: input and max_output_tokens, or the answer’s own length', async () => {
  const { client, simulator } = await start({ tokensPerMinute: 6000, burstSeconds: 60 });
  const remaining = async (maxTokens?: number) => {
    simulator.setLimits({ tokensPerMinute: 6000, burstSeconds: 60 });
    const { data, response } = await client.responses
      .create({ model: 'gpt-5', input: 'Hello', ...(maxTokens && { max_output_tokens: maxTokens }) })
      .withResponse();
    return { left: Number(response.headers.get('x-ratelimit-remaining-tokens')), usage: data.usage?.total_tokens ?? 0 };
  };
  expect((await remaining(500)).left).toBe(6000 - 500 - 2);
  const { left, usage } = await remaining();
  expect(left).toBe(6000 - usage);
  const tooLarge = client.responses.create({ model: 'gpt-5', input: 'Hello', max_output_tokens: 7000 });
  await expect(tooLarge).rejects.toThrow(
    'Request too large for gpt-5 on tokens per min (TPM): Limit 6000, Requested 7002.',
  );
});

test('a thundering herd is admitted one burst deep, and what was admitted is what was billed', async () => {
  const { client, simulator } = await start({ requestsPerMinute: 600, burstSeconds: 2 });
  const before = performance.now();
  const calls = Array.from({ length: 100 }, (_, index) =>
    client.responses.create({ model: 'gpt-5', input: `call ${index}` }),
  );
  const settled = await Promise.allSettled(calls);
  const seconds = (performance.now() - before) / 1000;
  const answered = settled.filter(({ status }) => status === 'fulfilled').length;
  expect(answered).toBeGreaterThanOrEqual(20);
  expect(answered).toBeLessThanOrEqual(20 + Math.ceil(10 * seconds));
  expect(simulator.ledger()).toHaveLength(answered);
  expect(simulator.stats()).toMatchObject({ requests: 100, limited: 100 - answered });
});
