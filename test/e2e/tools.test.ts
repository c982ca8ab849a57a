/** Function tools that workers run: the loop, what the model is told, and what a crash does not repeat. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import OpenAI from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { finished, type Stack, startStack, submitJob } from '../harness/stack.ts';

let stack: Stack;
let client: OpenAI;
beforeAll(async () => {
  stack = await startStack({ tools: true, simulator: { streamEvents: 5 } });
  client = new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: 'any', maxRetries: 0 });
}, 60_000);
afterAll(() => stack?.stop());

const model = 'sim-1';
const named = (...names: string[]) => names.map((name) => ({ type: 'function', name }) as never);
const noted = (): string[] => {
  const file = join(stack.folder, 'tools.log');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
};
const notedOf = (id: string): string[] => noted().filter((line) => line.includes(id));
const ask = (input: string, tools: never[], more: object = {}) =>
  client.responses.create({ model, input, tools, ...more }) as unknown as Promise<OpenAI.Responses.Response>;
const billedFor = (key: string) => stack.simulator.ledger().filter((entry) => entry.key === key);
const typesOf = (response: OpenAI.Responses.Response): string[] => response.output.map(({ type }) => type);

it('a registered tool is run, and the model answers with what it said; all of it is in the answer', async () => {
  const response = await ask(
    '[[args:get_weather {"city":"Oslo"}]] [[call:get_weather]] How is it?',
    named('get_weather'),
    {
      metadata: { key: 'weather' },
    },
  );
  expect(response.status).toBe('completed');
  expect(typesOf(response)).toEqual(['mcp_call', 'message']);
  expect(response.output_text).toContain('{"city":"Oslo","celsius":21}');
  expect(notedOf(response.id)).toHaveLength(1);
  const job = await finished(stack, response.id);
  expect(job.attempts).toHaveLength(1);
  // Both calls' tokens, in the job and in the response.
  const billed = billedFor('weather');
  expect(billed).toHaveLength(2);
  const total = billed.reduce((sum, { input_tokens, output_tokens }) => sum + input_tokens + output_tokens, 0);
  expect([job.usage?.total_tokens, response.usage?.total_tokens]).toEqual([total, total]);
});

it('a loop of five turns, streamed: one response whose events the SDK puts together', async () => {
  const stream = client.responses.stream({
    ...{ model, tools: named('get_weather') },
    input: '[[args:get_weather {"city":"Rome"}]] [[loop:get_weather x5]] Each day?',
  });
  const numbers: number[] = [];
  const kinds: string[] = [];
  let last: OpenAI.Responses.ResponseStreamEvent | null = null;
  stream.on('event', (event) => {
    numbers.push(event.sequence_number);
    kinds.push(event.type);
    last = event;
  });
  const response = await stream.finalResponse();
  expect(numbers).toEqual(numbers.map((_, index) => index));
  for (const once of ['response.created', 'response.in_progress', 'response.completed']) {
    expect(kinds.filter((kind) => kind === once)).toHaveLength(1);
  }
  expect(typesOf(response)).toEqual([...Array.from({ length: 5 }, () => 'mcp_call'), 'message']);
  const added = kinds.filter((kind) => kind === 'response.output_item.added');
  expect(added).toHaveLength(6);
  expect(notedOf(response.id)).toHaveLength(5);
  // Read again, it is the same.
  expect(last).toMatchObject({ response: { output: (await client.responses.retrieve(response.id)).output } });
});

it('several calls of one turn are run side by side', async () => {
  const response = await ask('[[call:get_weather]] [[call:slow_step]] Both?', named('get_weather', 'slow_step'));
  expect(typesOf(response)).toEqual(['mcp_call', 'mcp_call', 'message']);
  expect(notedOf(response.id)).toHaveLength(2);
});

it.each([
  ['throws', 'Error: the station is closed'],
  ['hangs', 'Error: the tool did not end within 0.3 s'],
  ['huge', 'Error: the output has 10485760 bytes, and at most 262144 can be told: ask for less'],
  ['no_json', 'Error: Do not know how to serialize a BigInt'],
])('a tool that %s: the model is told so, and goes on', async (name, words) => {
  const response = await ask(`[[call:${name}]] Try.`, named(name));
  expect(response.status).toBe('completed');
  expect(JSON.stringify(response.output)).toContain(words);
});

it('arguments that are no JSON, or do not fit, are told to the model, and the tool is not run', async () => {
  const broken = await ask('[[args:get_weather {"city":]] [[call:get_weather]] x', named('get_weather'));
  expect(JSON.stringify(broken.output)).toContain('Error: the arguments are no JSON');
  const wrong = await ask('[[args:get_weather {"city":7}]] [[call:get_weather]] x', named('get_weather'));
  expect(JSON.stringify(wrong.output)).toContain('Error: the arguments do not fit: city:');
  expect([...notedOf(broken.id), ...notedOf(wrong.id)]).toEqual([]);
});

it('calls of functions that are not registered are the client’s to make', async () => {
  const tools = [
    { type: 'function', name: 'mine', parameters: { type: 'object', properties: {} }, strict: false },
  ] as never[];
  const response = await ask('[[call:mine]] x', tools);
  expect(typesOf(response)).toEqual(['function_call']);
  expect(response.status).toBe('completed');
  // With one of ours beside it, too: a model goes on only when all have been made.
  const both = [...tools, ...named('get_weather')];
  const mixed = await ask('[[call:get_weather]] [[call:mine]] x', both);
  expect(typesOf(mixed)).toEqual(['function_call', 'function_call']);
  expect(notedOf(mixed.id)).toEqual([]);
  const stream = client.responses.stream({ model, input: '[[call:get_weather]] [[call:mine]] x', tools: both });
  const types = (await stream.finalResponse()).output.map(({ type }) => type);
  expect(types).toEqual(['function_call', 'function_call']);
});

it('a function that is only named, and not registered, is refused at submit', async () => {
  await expect(ask('x', named('get_weather', 'nobody_knows'))).rejects.toMatchObject({
    status: 400,
    code: 'tool_not_registered',
    param: 'tools[1]',
  });
});

it('a client that gives the output back as its next input, as items or by their ids, is understood', async () => {
  const first = await ask('[[args:get_weather {"city":"Oslo"}]] [[call:get_weather]] How?', named('get_weather'));
  const [call, message] = first.output as [OpenAI.Responses.ResponseOutputItem, OpenAI.Responses.ResponseOutputItem];
  for (const kept of [call, { type: 'item_reference', id: call.id }]) {
    const input = [{ role: 'user', content: 'How?' }, kept, message, { role: 'user', content: 'And now?' }];
    const next = await client.responses.create({ model, input: input as never });
    expect(next.status).toBe('completed');
  }
});

it('max_tool_calls ends the loop: further calls are refused, and the model must answer', async () => {
  const response = await ask('[[loop:get_weather x9]] x', named('get_weather'), { max_tool_calls: 2 });
  expect(response.status).toBe('completed');
  expect(notedOf(response.id)).toHaveLength(2);
  expect(typesOf(response).at(-1)).toBe('message');
});

it('tool_choice that forces a call forces only the first', async () => {
  const response = await ask('x', named('get_weather'), { tool_choice: 'required' });
  expect(typesOf(response)).toEqual(['mcp_call', 'message']);
});

it('a worker killed in the middle: finished turns are not made again, nor are their tools run again', async () => {
  const id = await submitJob(stack, {
    ...{ type: 'generate', queue: 'generate' },
    request: {
      model,
      input: '[[loop:slow_step x5]] Step by step.',
      tools: named('slow_step'),
      metadata: { key: 'loop' },
    },
  });
  await eventually('the third step runs', () => notedOf(id).length >= 3);
  await stack.workers.splice(0)[0]?.kill();
  await stack.addWorker();
  const job = await finished(stack, id, 60_000);
  expect(job.status).toBe('completed');
  // Six answers, of which none twice: the kill was in a tool, not in a call.
  expect(billedFor('loop')).toHaveLength(6);
  const keys = notedOf(id);
  // The one that was cut short is run again, under its own key.
  expect(new Set(keys).size).toBe(5);
  expect(keys.length).toBeLessThanOrEqual(6);
}, 90_000);

it('a stream whose worker was killed between turns is whole when it is read again', async () => {
  const started = await client.responses.create({
    ...{ model, stream: true, background: true, tools: named('slow_step') },
    input: '[[loop:slow_step x4]] Stream it.',
  });
  let id = '';
  const reading = (async () => {
    for await (const event of started) if ('response' in event) id = event.response.id;
  })().catch(() => undefined);
  await eventually('the second step runs', () => id !== '' && notedOf(id).length >= 2);
  await stack.workers.splice(0)[0]?.kill();
  await stack.addWorker();
  await reading;
  expect((await finished(stack, id, 60_000)).status).toBe('completed');
  const numbers: number[] = [];
  const kinds: string[] = [];
  const places: number[] = [];
  for await (const event of await client.responses.retrieve(id, { stream: true })) {
    numbers.push(event.sequence_number);
    kinds.push(event.type);
    if (event.type === 'response.output_item.added') places.push(event.output_index);
  }
  expect(numbers).toEqual(numbers.map((_, index) => index));
  expect(kinds.filter((kind) => kind === 'response.created')).toHaveLength(1);
  expect(kinds.at(-1)).toBe('response.completed');
  expect(places).toEqual([0, 1, 2, 3, 4]);
}, 90_000);
