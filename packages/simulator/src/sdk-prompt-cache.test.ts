import OpenAI from 'openai';
import { afterEach, expect, test, vi } from 'vitest';
import { type Simulator, type SimulatorOptions, startSimulator } from './index.ts';

const open: Simulator[] = [];
const model = 'gpt-5';
const instructions = 'Answer briefly. '.repeat(300);

async function start(options: SimulatorOptions = {}) {
  const simulator = await startSimulator(options);
  open.push(simulator);
  return { simulator, client: new OpenAI({ apiKey: 'any', baseURL: simulator.url, maxRetries: 0 }) };
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((simulator) => simulator.close()));
});

function cachedOf(response: OpenAI.Responses.Response): number | undefined {
  return response.usage?.input_tokens_details.cached_tokens;
}

test('requests that share their instructions share the cached prefix, and the ledger says so', async () => {
  const { client, simulator } = await start();
  const ask = (input: string) => client.responses.create({ model, instructions, input });
  expect(cachedOf(await ask('What is a tide?'))).toBe(0);
  expect(cachedOf(await ask('And an ebb?'))).toBe(1152);
  const ledger = simulator.ledger();
  expect(ledger.map(({ cached_tokens }) => cached_tokens)).toEqual([0, 1152]);
  expect(ledger[1]?.input_tokens).toBeGreaterThan(1152);
});

test('a conversation hits what was said before; other instructions hit nothing', async () => {
  const { client } = await start();
  const input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: 'word '.repeat(1200) }];
  const first = await client.responses.create({ model, input });
  input.push(...first.output.filter((item) => item.type === 'message'), { role: 'user', content: 'More.' });
  expect(cachedOf(await client.responses.create({ model, input }))).toBeGreaterThanOrEqual(1408);
  expect(cachedOf(await client.responses.create({ model, input, instructions: 'Else.' }))).toBe(0);
});

test('what is sent before the first answer has begun hits nothing', async () => {
  const { client } = await start({ latencyMs: 100 });
  const ask = () => client.responses.create({ model, instructions, input: 'Hi', prompt_cache_key: 'tenant' });
  const together = await Promise.all([ask(), ask(), ask()]);
  expect(together.map(cachedOf)).toEqual([0, 0, 0]);
  expect(cachedOf(await ask())).toBe(1152);
});

test('a streamed answer caches its prompt with its first output, a failed one never', async () => {
  const { client } = await start({ tokensPerSecond: 20 });
  const stream = await client.responses.create({ model, instructions, input: 'Hi', stream: true });
  for await (const event of stream) if (event.type === 'response.output_text.delta') break;
  const ask = (input: string, key?: string) =>
    client.responses.create({ model, instructions, input, ...(key && { prompt_cache_key: key }) });
  await vi.waitFor(async () => expect(cachedOf(await ask('Then?'))).toBe(1152));
  await ask('[[fault:failed]]', 'other');
  expect(cachedOf(await ask('Now?', 'other'))).toBe(0);
});

test('without a cache nothing is cached', async () => {
  const { client } = await start({ promptCache: false });
  const ask = () => client.responses.create({ model, instructions, input: 'Hi' });
  expect([cachedOf(await ask()), cachedOf(await ask())]).toEqual([0, 0]);
});
