import OpenAI, { APIConnectionError, APIError } from 'openai';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type FaultKind, type Simulator, type SimulatorOptions, startSimulator } from '../index.ts';

const open: Simulator[] = [];

async function start(options: SimulatorOptions = {}) {
  const simulator = await startSimulator(options);
  open.push(simulator);
  return { simulator, client: new OpenAI({ apiKey: 'any', baseURL: simulator.url, maxRetries: 0, logLevel: 'off' }) };
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((simulator) => simulator.close()));
});

const ERRORS: [kind: FaultKind, status: number, code: string | null, type: string][] = [
  ['429', 429, 'rate_limit_exceeded', 'requests'],
  ['quota', 429, 'insufficient_quota', 'insufficient_quota'],
  ['400', 400, 'invalid_value', 'invalid_request_error'],
  ['401', 401, 'invalid_api_key', 'invalid_request_error'],
  ['403', 403, 'model_not_found', 'invalid_request_error'],
  ['404', 404, 'model_not_found', 'invalid_request_error'],
  ['408', 408, 'request_timeout', 'server_error'],
  ['409', 409, 'conflict', 'invalid_request_error'],
  ['422', 422, 'unprocessable', 'invalid_request_error'],
  ['500', 500, null, 'server_error'],
  ['503', 503, null, 'server_error'],
];

describe.each([false, true])('before work (stream: %s), nothing is billed and the client sees', (stream) => {
  test.each(ERRORS)('%s: status %i, code %s', async (kind, status, code, type) => {
    const { client, simulator } = await start();
    const error = await client.responses
      .create({ model: 'gpt-5', input: `x [[fault:${kind}]]`, stream })
      .catch((caught: unknown) => caught);
    if (!(error instanceof APIError)) throw new Error('no APIError');
    expect(error).toMatchObject({ status, code, type });
    expect(error.requestID).toMatch(/^req_/);
    expect(simulator.ledger()).toEqual([]);
    expect(simulator.stats().faults[kind]).toBe(1);
  });

  test('502html: a page instead of an error body', async () => {
    const { simulator } = await start();
    const body = JSON.stringify({ model: 'gpt-5', input: '[[fault:502html]]', stream });
    const response = await fetch(`${simulator.url}/responses`, { method: 'POST', body });
    expect(response.status).toBe(502);
    expect(response.headers.get('content-type')).toBe('text/html');
    expect(await response.text()).toContain('<h1>502 Bad Gateway');
    expect(simulator.ledger()).toEqual([]);
  });

  test('reset: the connection reset without a byte', async () => {
    const { client, simulator } = await start();
    const call = client.responses.create({ model: 'gpt-5', input: '[[fault:reset]]', stream });
    await expect(call).rejects.toBeInstanceOf(APIConnectionError);
    await expect(call).rejects.toMatchObject({ cause: { cause: { code: 'ECONNRESET' } } });
    expect(simulator.ledger()).toEqual([]);
  });

  test('silent: nothing at all until it leaves', async () => {
    const { client, simulator } = await start();
    const leaving = new AbortController();
    let settled = false;
    const call = client.responses
      .create({ model: 'gpt-5', input: '[[fault:silent]]', stream }, { signal: leaving.signal })
      .catch((error: unknown) => error)
      .finally(() => {
        settled = true;
      });
    await vi.waitFor(() => expect(simulator.stats().faults.silent).toBe(1));
    // A whole other call comes and goes meanwhile.
    await client.responses.create({ model: 'gpt-5', input: 'other' });
    expect(settled).toBe(false);
    leaving.abort();
    expect(await call).toBeInstanceOf(Error);
    expect(simulator.ledger()).toHaveLength(1);
  });
});

test('a 429 says how long to wait, of any length', async () => {
  const { client } = await start();
  const wait = async (words: string) => {
    const error = await client.responses.create({ model: 'gpt-5', input: words }).catch((caught: unknown) => caught);
    if (!(error instanceof APIError)) throw new Error('no APIError');
    return [error.headers?.get('retry-after'), error.headers?.get('retry-after-ms')];
  };
  expect(await wait('[[fault:429]]')).toEqual(['1', '1000']);
  expect(await wait('[[fault:429 after=90]]')).toEqual(['90', '90000']);
  expect(await wait('[[fault:429 after=0.05]]')).toEqual(['1', '50']);
});

test('counted faults hit the first calls with that input, then it is answered', async () => {
  const { client, simulator } = await start();
  const ask = async () => {
    const error = await client.responses
      .create({ model: 'gpt-5', input: 'Hi [[fault:500 x2]] [[fault:429 x1]]' })
      .catch((caught: unknown) => caught);
    return error instanceof APIError ? error.status : 'answered';
  };
  expect([await ask(), await ask(), await ask(), await ask()]).toEqual([500, 500, 429, 'answered']);
  expect(simulator.ledger()).toHaveLength(1);
});

test('faults by probability are set, bounded and cleared while it runs', async () => {
  const { client, simulator } = await start({ faults: [{ kind: '503', probability: 1, times: 1 }] });
  const ask = async () => {
    const error = await client.responses.create({ model: 'gpt-5', input: 'Hi' }).catch((caught: unknown) => caught);
    return error instanceof APIError ? error.status : 'answered';
  };
  expect([await ask(), await ask()]).toEqual([503, 'answered']);
  simulator.setFaults([{ kind: '500', probability: 1 }]);
  expect([await ask(), await ask()]).toEqual([500, 500]);
  simulator.setFaults([]);
  expect(await ask()).toBe('answered');
});
