import OpenAI from 'openai';
import type { ResponseInput } from 'openai/resources/responses/responses';
import { afterEach, expect, test } from 'vitest';
import { type Simulator, startSimulator } from './index.ts';

const open: Simulator[] = [];

async function start() {
  const simulator = await startSimulator();
  open.push(simulator);
  return new OpenAI({ apiKey: 'any', baseURL: simulator.url, maxRetries: 0 });
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((simulator) => simulator.close()));
});

function tool(name: string) {
  const parameters = { type: 'object', properties: { email: { type: 'string' } }, required: ['email'] };
  return { type: 'function' as const, name, strict: false, parameters };
}

interface Told {
  name: string;
  id: string;
  args: string;
}

/** Answers every call with `outputOf` its number until text comes. */
async function loop(client: OpenAI, prompt: string, outputOf: (turn: number) => string) {
  const input: ResponseInput = [{ role: 'user', content: prompt }];
  const told: Told[] = [];
  for (;;) {
    const response = await client.responses.create({ model: 'gpt-5', input, tools: [tool('first'), tool('second')] });
    const calls = response.output.filter((item) => item.type === 'function_call');
    if (calls.length === 0 || told.length > 20) return { told, text: response.output_text };
    for (const call of calls) {
      told.push({ name: call.name, id: call.call_id, args: call.arguments });
      input.push(call, { type: 'function_call_output', call_id: call.call_id, output: outputOf(told.length) });
    }
  }
}

test('a loop calls one function a turn until its outputs are there, then text says the last of them', async () => {
  const { told, text } = await loop(
    await start(),
    'Ask ada@example.com. [[loop:first x5]]',
    (turn) => `result ${turn}`,
  );
  expect(told.map(({ name, args }) => [name, args])).toEqual(Array(5).fill(['first', '{"email":"ada@example.com"}']));
  expect(text).toContain('The last result reads: result 5');
  expect(text).not.toContain('[[');
});

test('call ids differ from turn to turn, also where every output is empty', async () => {
  const { told } = await loop(await start(), '[[loop:first x4]]', () => '');
  expect(new Set(told.map(({ id }) => id)).size).toBe(4);
});

test('several loops come one after the other; one of a function nobody has is passed over', async () => {
  const { told } = await loop(await start(), '[[loop:none x3]] [[loop:second x2]] [[loop:first]]', () => 'ok');
  expect(told.map(({ name }) => name)).toEqual(['second', 'second', 'first']);
});

test('given arguments are used as they stand, one call after the other and the last for all that follow', async () => {
  const prompt = '[[loop:first x3]] [[args:first {"city": "Oslo"}]] [[args:first {"city":]] Where?';
  const { told, text } = await loop(await start(), prompt, () => 'there');
  expect(told.map(({ args }) => args)).toEqual(['{"city": "Oslo"}', '{"city":', '{"city":']);
  expect(text).not.toContain('Oslo');
});

test('what a prompt puts into the model’s mouth is the whole answer, also after a loop', async () => {
  const client = await start();
  const { told, text } = await loop(client, '[[loop:first x1]] [[say:{"done": [[1]]}]]', () => 'ok');
  expect(told).toHaveLength(1);
  expect(text).toBe('{"done": [[1]]}');
  const half = '[[args:first {"city":]] [[call:first]] [[fault:badschema]]';
  const bent = await client.responses.create({ model: 'gpt-5', input: half, tools: [tool('first')] });
  expect(bent.output).toMatchObject([{ type: 'function_call', arguments: '{"city":' }]);
});

test('a long output is quoted by its first 200 characters', async () => {
  const { text } = await loop(await start(), '[[call:second]]', () => 'x'.repeat(500));
  expect(text).toMatch(/: x{200} /);
});
