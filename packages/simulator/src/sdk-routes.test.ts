import OpenAI, { APIError, AuthenticationError, BadRequestError, NotFoundError } from 'openai';
import { afterEach, expect, test } from 'vitest';
import { type Simulator, type SimulatorOptions, startSimulator } from './index.ts';

const open: Simulator[] = [];

async function start(options: SimulatorOptions = {}, apiKey = 'any') {
  const simulator = await startSimulator(options);
  open.push(simulator);
  return { simulator, client: new OpenAI({ apiKey, baseURL: simulator.url, maxRetries: 0 }) };
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((simulator) => simulator.close()));
});

test('a stored response is read, listed and deleted; one with store: false is not there', async () => {
  const { client } = await start();
  const { id } = await client.responses.create({
    model: 'gpt-5',
    input: ['a', 'b', 'c'].map((content) => ({ role: 'user', content })),
  });
  expect((await client.responses.retrieve(id)).id).toBe(id);
  const texts: unknown[] = [];
  for await (const item of client.responses.inputItems.list(id, { limit: 2, order: 'asc' })) {
    texts.push('content' in item && Array.isArray(item.content) && item.content[0]);
  }
  expect(texts).toMatchObject([{ type: 'input_text', text: 'a' }, { text: 'b' }, { text: 'c' }]);
  await client.responses.create({ model: 'gpt-5', input: 'Next', previous_response_id: id });
  await client.responses.delete(id);
  await expect(client.responses.retrieve(id)).rejects.toBeInstanceOf(NotFoundError);
  await expect(client.responses.create({ model: 'gpt-5', input: 'x', previous_response_id: id })).rejects.toMatchObject(
    {
      code: 'previous_response_not_found',
    },
  );
  const unstored = await client.responses.create({ model: 'gpt-5', input: 'Hi', store: false });
  await expect(client.responses.retrieve(unstored.id)).rejects.toBeInstanceOf(NotFoundError);
});

test('models are listed and input tokens counted', async () => {
  const { client } = await start();
  const models: string[] = [];
  for await (const model of client.models.list()) models.push(model.id);
  expect(models).toContain('gpt-5');
  expect((await client.models.retrieve('gpt-5')).object).toBe('model');
  expect(await client.responses.inputTokens.count({ model: 'gpt-5', input: '12345678' })).toEqual({
    object: 'response.input_tokens',
    input_tokens: 2,
  });
});

test('another tokenizer counts what is asked by its own characters per token, for the limits and the bill too', async () => {
  const limits = { tokensPerMinute: 6000, burstSeconds: 60 };
  const { client, simulator } = await start({ charactersPerToken: 2, limits });
  expect((await client.responses.inputTokens.count({ model: 'gpt-5', input: '12345678' })).input_tokens).toBe(4);
  const { data, response } = await client.responses
    .create({ model: 'gpt-5', input: '12345678', max_output_tokens: 100 })
    .withResponse();
  expect(data.usage?.input_tokens).toBe(4);
  expect(response.headers.get('x-ratelimit-remaining-tokens')).toBe(String(6000 - 4 - 100));
  expect(simulator.ledger()[0]?.input_tokens).toBe(4);
});

test('limits are replaced over HTTP, and limits that do not hold are refused and change nothing', async () => {
  const { client, simulator } = await start();
  const put = (body: string) =>
    fetch(`${new URL(simulator.url).origin}/simulator/limits`, { method: 'PUT', body }).then(({ status }) => status);
  const told = async () => {
    const { response } = await client.responses.create({ model: 'gpt-5', input: 'Hello' }).withResponse();
    return response.headers.get('x-ratelimit-limit-requests');
  };
  expect(await told()).toBeNull();
  expect(await put('{"requestsPerMinute":600}')).toBe(200);
  expect(await told()).toBe('600');
  expect(await put('{"requestsPerMinute":0}')).toBe(400);
  expect(await told()).toBe('600');
  expect(await put('{}')).toBe(200);
  expect(await told()).toBeNull();
});

test('with keys set, any other is refused and nothing is counted as work', async () => {
  const { client, simulator } = await start({ apiKeys: ['right'] }, 'wrong');
  const error = await client.responses.create({ model: 'gpt-5', input: 'Hi' }).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(AuthenticationError);
  expect(error).toMatchObject({ status: 401, code: 'invalid_api_key', type: 'invalid_request_error' });
  expect(simulator.stats()).toMatchObject({ refused: 1, billed: 0 });
  const right = new OpenAI({ apiKey: 'right', baseURL: simulator.url, maxRetries: 0 });
  expect((await right.responses.create({ model: 'gpt-5', input: 'Hi' })).status).toBe('completed');
});

test('what is refused is refused in OpenAI’s shape, with a request id, and is not billed', async () => {
  const { client, simulator } = await start({ background: false });
  const invalid = await client.responses
    .create({ model: 'gpt-5', input: 'Hi', background: true })
    .catch((caught: unknown) => caught);
  expect(invalid).toBeInstanceOf(BadRequestError);
  if (!(invalid instanceof APIError)) throw new Error('no APIError');
  expect(invalid).toMatchObject({ param: 'background', type: 'invalid_request_error' });
  expect(invalid.requestID).toMatch(/^req_/);
  const post = (init: RequestInit, path = '/responses') => fetch(simulator.url + path, { method: 'POST', ...init });
  const statuses = await Promise.all([
    post({ body: '{"model":' }),
    post({ body: '{}', headers: { 'content-encoding': 'gzip' } }),
    post({}, '/nothing'),
    fetch(`${simulator.url}/responses`),
    post({ body: JSON.stringify({ model: 'gpt-5', input: 'x'.repeat(33 * 1024 * 1024) }) }),
    post({ body: `{"model":"gpt-5","input":${'['.repeat(100_000)}${']'.repeat(100_000)}}` }),
  ]);
  expect(statuses.map(({ status }) => status)).toEqual([400, 415, 404, 405, 413, 400]);
  for (const response of statuses) {
    expect(await response.json()).toMatchObject({
      error: { message: expect.any(String), type: 'invalid_request_error' },
    });
  }
  expect(simulator.ledger()).toEqual([]);
});

test('a stateless server refuses what it would have to remember, and nothing else', async () => {
  const { client } = await start({ stateless: true });
  const ask = (more: object) => client.responses.create({ model: 'gpt-5', input: 'Hi', ...more });
  for (const param of ['previous_response_id', 'conversation']) {
    const refused = { status: 400, param, code: 'unsupported_parameter', type: 'invalid_request_error' };
    await expect(ask({ [param]: 'resp_1' })).rejects.toMatchObject(refused);
  }
  const answered = await ask({ previous_response_id: null, conversation: null });
  expect(answered).toMatchObject({ status: 'completed' });
});

test('options that do not hold are refused, each by name', async () => {
  const wrong = { latencyMs: [5, 1] as [number, number], faults: [{ kind: '500' as const, probability: 2 }] };
  await expect(startSimulator(wrong)).rejects.toThrow(/latencyMs[\s\S]*probability|probability[\s\S]*latencyMs/);
});
