import OpenAI from 'openai';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Simulator, startSimulator } from '../index.ts';

const open: Simulator[] = [];

async function start() {
  const simulator = await startSimulator();
  open.push(simulator);
  return { simulator, client: new OpenAI({ apiKey: 'any', baseURL: simulator.url, maxRetries: 0, logLevel: 'off' }) };
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((simulator) => simulator.close()));
});

describe('a fault of the answer itself reaches the client whole', () => {
  const schema = {
    type: 'object',
    properties: { a: { type: 'string' } },
    required: ['a'],
    additionalProperties: false,
  };
  const format = { type: 'json_schema' as const, name: 'a', strict: true, schema };

  test.each([
    ['', 'server_error'],
    [' code=invalid_prompt', 'invalid_prompt'],
  ])('failed%s: status failed with code %s, plain and streamed', async (setting, code) => {
    const { client, simulator } = await start();
    const input = `[[fault:failed${setting}]]`;
    const failed = { status: 'failed', error: { code, message: expect.any(String) }, output: [], usage: null };
    expect(await client.responses.create({ model: 'gpt-5', input })).toMatchObject(failed);
    const types: string[] = [];
    for await (const event of await client.responses.create({ model: 'gpt-5', input, stream: true })) {
      types.push(event.type);
      if (event.type === 'response.failed') expect(event.response).toMatchObject(failed);
    }
    expect(types).toEqual(['response.created', 'response.in_progress', 'response.failed']);
    await vi.waitFor(() =>
      expect(simulator.ledger()).toMatchObject([
        { outcome: 'failed', delivered: true, output_tokens: 0 },
        { outcome: 'failed', delivered: true },
      ]),
    );
  });

  test('incomplete: cut off for max_output_tokens', async () => {
    const { client, simulator } = await start();
    const response = await client.responses.create({ model: 'gpt-5', input: '[[fault:incomplete]]' });
    expect(response).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      completed_at: null,
    });
    expect(response.output[0]).toMatchObject({ status: 'incomplete' });
    expect(simulator.ledger()).toMatchObject([{ outcome: 'incomplete' }]);
  });

  test('refusal: a refusal part, streamed as refusal events', async () => {
    const { client } = await start();
    const response = await client.responses.create({ model: 'gpt-5', input: '[[fault:refusal]]', text: { format } });
    expect(response).toMatchObject({ status: 'completed', output_text: '' });
    expect(response.output[0]).toMatchObject({
      content: [{ type: 'refusal', refusal: expect.stringContaining("can't help") }],
    });
    const types = new Set<string>();
    for await (const event of await client.responses.create({
      model: 'gpt-5',
      input: '[[fault:refusal]]',
      stream: true,
    })) {
      types.add(event.type);
    }
    expect(types).toContain('response.refusal.delta');
    expect(types).toContain('response.refusal.done');
  });

  test('badschema: JSON that misses the schema, once', async () => {
    const { client } = await start();
    const ask = () => client.responses.create({ model: 'gpt-5', input: '[[fault:badschema x1]]', text: { format } });
    expect(JSON.parse((await ask()).output_text)).toEqual({ unexpected: true });
    expect(JSON.parse((await ask()).output_text)).toEqual({ a: '' });
  });

  test('badschema: the client that asks again, with the answer and its objection, gets what it asked for', async () => {
    const { client } = await start();
    const prompt = { role: 'user' as const, content: '[[fault:badschema x1]]' };
    const first = await client.responses.create({ model: 'gpt-5', input: [prompt], text: { format } });
    expect(JSON.parse(first.output_text)).toEqual({ unexpected: true });
    const answer = first.output.filter((item) => item.type === 'message');
    const input = [prompt, ...answer, { role: 'user' as const, content: 'This misses the schema.' }];
    const second = await client.responses.create({ model: 'gpt-5', input, text: { format } });
    expect(JSON.parse(second.output_text)).toEqual({ a: '' });
  });

  test('wrongid: a retrieve answers with another response’s id, and delivers nothing', async () => {
    const { client, simulator } = await start();
    const created = await client.responses.create({ model: 'gpt-5', input: '[[fault:wrongid]]', background: true });
    await vi.waitFor(async () => expect((await client.responses.retrieve(created.id)).status).toBe('completed'));
    const retrieved = await client.responses.retrieve(created.id);
    expect(retrieved.id).toMatch(/^resp_[0-9a-f]{48}$/);
    expect(retrieved.id).not.toBe(created.id);
    for await (const event of await client.responses.retrieve(created.id, { stream: true })) {
      if ('response' in event) expect(event.response.id).toBe(retrieved.id);
    }
    expect(simulator.ledger()).toMatchObject([{ id: created.id, delivered: false }]);
  });

  test.each(['[[slow:60]]', '[[fault:slow ms=60]]', '[[slow:30]] [[fault:slow ms=30]]'])(
    '%s: the answer comes later',
    async (input) => {
      const { client } = await start();
      const before = performance.now();
      expect((await client.responses.create({ model: 'gpt-5', input })).status).toBe('completed');
      expect(performance.now() - before).toBeGreaterThanOrEqual(59);
    },
  );
});
