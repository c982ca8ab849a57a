import { describe, expect, it } from 'vitest';
import { resolveConfig } from './config.ts';
import { readEnvironment } from './environment.ts';

const environment = readEnvironment({});
const faultsOf = (config: unknown): string[] => {
  try {
    resolveConfig(config, environment);
    return [];
  } catch (error) {
    return [...(error as { faults: string[] }).faults];
  }
};

describe('a limit', () => {
  it.each([
    ['requestsPerMinute', 0],
    ['requestsPerMinute', -5],
    ['requestsPerMinute', Number.NaN],
    ['requestsPerMinute', '60'],
    ['tokensPerMinute', 0],
    ['tokensPerMinute', -1],
    ['inFlight', 0],
    ['inFlight', 1.5],
    ['burstSeconds', -1],
  ])('of %s %s is refused, by its path', (key, value) => {
    const faults = faultsOf({ limits: { main: { [key]: value } } });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(new RegExp(`^limits\\.main\\.${key}: `));
  });

  it('of which nothing is said is one that is learned', () => {
    expect(resolveConfig({ limits: { main: {} } }, environment).limits.main).toEqual({ burstSeconds: 1, models: [] });
  });
});

it.each([-0.1, 1.1, '0.5', Number.NaN])('a share of %s is refused, by its path', (share) => {
  const faults = faultsOf({ queues: { q: { route: { responses: share }, shadow: { share } } } });
  expect(faults.map((fault) => fault.split(':')[0])).toEqual(['queues.q.route.responses', 'queues.q.shadow.share']);
});

it('all faults of a configuration are told at once', () => {
  const faults = faultsOf({
    limits: { main: { requestsPerMinute: 0 } },
    files: { directory: '/x', s3: { bucket: 'b' } },
    webhooks: { secret: 'hush', allow: ['everywhere'], endpoints: [{ url: 'ftp://x' }] },
    passThrough: { paths: ['conversations'] },
  });
  for (const path of [
    'limits.main.requestsPerMinute',
    'files.s3',
    'webhooks.secret',
    'webhooks.allow.0',
    'webhooks.endpoints.0.url',
  ]) {
    expect(
      faults.some((fault) => fault.startsWith(path)),
      `${path} in ${faults.join('; ')}`,
    ).toBe(true);
  }
  expect(faults.join()).not.toContain('hush');
});

describe('an upstream that remembers nothing', () => {
  const upstreams = (history?: unknown) => ({ upstreams: { local: { baseURL: 'http://localhost:8000/v1', history } } });

  it('is one with a history, whose bounds have defaults', () => {
    expect(resolveConfig(upstreams({}), environment).upstreams.local?.history).toEqual({
      maxMessages: 200,
      maxTokens: 100_000,
    });
    expect(resolveConfig(upstreams(), environment).upstreams.local?.history).toBeUndefined();
  });

  it.each([
    ['maxMessages', 0],
    ['maxMessages', 1.5],
    ['maxTokens', -1],
    ['maxTokens', '100'],
  ])('of which %s is %s is refused, by its path', (key, value) => {
    expect(faultsOf(upstreams({ [key]: value }))[0]).toMatch(new RegExp(`^upstreams\\.local\\.history\\.${key}: `));
  });
});
