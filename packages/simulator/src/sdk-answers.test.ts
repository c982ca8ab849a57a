import OpenAI from 'openai';
import { zodTextFormat } from 'openai/helpers/zod';
import type { ResponseStreamEvent } from 'openai/resources/responses/responses';
import { afterEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { type Simulator, type SimulatorOptions, startSimulator } from './index.ts';

const open: Simulator[] = [];

async function start(options: SimulatorOptions = {}) {
  const simulator = await startSimulator(options);
  open.push(simulator);
  return { simulator, client: new OpenAI({ apiKey: 'any', baseURL: simulator.url, maxRetries: 0 }) };
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((simulator) => simulator.close()));
});

async function collect(stream: AsyncIterable<ResponseStreamEvent>): Promise<ResponseStreamEvent[]> {
  const events: ResponseStreamEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

function typesOf(events: ResponseStreamEvent[]): string[] {
  return events
    .map(({ type }) => type)
    .filter((type, index, all) => !type.endsWith('.delta') || type !== all[index - 1]);
}

const MESSAGE_EVENTS = [
  'response.output_item.added',
  'response.content_part.added',
  'response.output_text.delta',
  'response.output_text.done',
  'response.content_part.done',
  'response.output_item.done',
];

test('a plain answer carries every field, its usage and the prompt’s words', async () => {
  const { client, simulator } = await start();
  const response = await client.responses.create({
    model: 'gpt-5-mini',
    input: 'Tell me about tides.',
    instructions: 'Be brief.',
    metadata: { key: 'job-1' },
  });
  expect(response).toMatchObject({
    object: 'response',
    status: 'completed',
    background: false,
    error: null,
    incomplete_details: null,
    instructions: 'Be brief.',
    max_output_tokens: null,
    model: 'gpt-5-mini',
    parallel_tool_calls: true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    store: true,
    temperature: 1,
    text: { format: { type: 'text' } },
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
    truncation: 'disabled',
    metadata: { key: 'job-1' },
    service_tier: 'default',
  });
  expect(response.id).toMatch(/^resp_[0-9a-f]{48}$/);
  expect(response.completed_at).toBeGreaterThanOrEqual(response.created_at);
  expect(response.output_text).toMatch(/^Tell me about tides/);
  expect(response.usage).toEqual({
    input_tokens: Math.ceil('Tell me about tides.Be brief.'.length / 4),
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: Math.ceil(response.output_text.length / 4),
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: (response.usage?.input_tokens ?? 0) + (response.usage?.output_tokens ?? 0),
  });
  expect(response._request_id).toMatch(/^req_/);
  await vi.waitFor(() =>
    expect(simulator.ledger()).toMatchObject([{ key: 'job-1', outcome: 'completed', delivered: true }]),
  );
});

test('a streamed answer has OpenAI’s events in their order, numbered from 0 without gaps', async () => {
  const { client } = await start({ streamEvents: 12 });
  const events = await collect(await client.responses.create({ model: 'gpt-5', input: 'Hello there', stream: true }));
  expect(typesOf(events)).toEqual([
    'response.created',
    'response.in_progress',
    ...MESSAGE_EVENTS,
    'response.completed',
  ]);
  expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, index) => index));
  const deltas = events.flatMap((event) => (event.type === 'response.output_text.delta' ? [event.delta] : []));
  expect(deltas).toHaveLength(12);
  const last = events.at(-1);
  expect(last).toMatchObject({ type: 'response.completed', response: { status: 'completed' } });
  const done = events.find((event) => event.type === 'response.output_text.done');
  expect(deltas.join('')).toBe(done?.type === 'response.output_text.done' && done.text);
});

test('the SDK’s own stream reader accepts text, refusals, several function calls and a cut answer', async () => {
  const { client } = await start();
  const tools = ['first', 'second'].map((name) => ({
    type: 'function' as const,
    name,
    strict: true,
    parameters: {
      type: 'object',
      properties: { email: { type: 'string' } },
      required: ['email'],
      additionalProperties: false,
    },
  }));
  const text = await client.responses.stream({ model: 'gpt-5', input: 'Hello' }).finalResponse();
  expect(text.output_text).toMatch(/^Hello/);
  const refusal = await client.responses.stream({ model: 'gpt-5', input: '[[fault:refusal]]' }).finalResponse();
  expect(refusal.output[0]).toMatchObject({ type: 'message', content: [{ type: 'refusal' }] });
  const calls = await client.responses
    .stream({ model: 'gpt-5', input: 'Write to ada@example.com [[call:second]] [[call:first]]', tools })
    .finalResponse();
  expect(calls.output).toMatchObject([
    { type: 'function_call', name: 'second', arguments: '{"email":"ada@example.com"}', status: 'completed' },
    { type: 'function_call', name: 'first' },
  ]);
  expect(new Set(calls.output.map((item) => 'call_id' in item && item.call_id)).size).toBe(2);
  const events = await collect(
    await client.responses.create({ model: 'gpt-5', input: 'Hello', max_output_tokens: 16, stream: true }),
  );
  expect(events.at(-1)).toMatchObject({
    type: 'response.incomplete',
    response: {
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      usage: { output_tokens: 16 },
    },
  });
});

test('a structured answer parses with the SDK’s zod format', async () => {
  const { client } = await start();
  const Package = z.object({
    name: z.string(),
    license: z.enum(['MIT', 'ISC']).nullable(),
    links: z.array(z.string()),
  });
  const response = await client.responses.parse({
    model: 'gpt-5',
    input: [
      { role: 'developer', content: 'Extract the package. License: ISC' },
      { role: 'user', content: '# left-pad\n\nSee https://example.com. MIT licensed.' },
    ],
    text: { format: zodTextFormat(Package, 'package') },
  });
  expect(response.output_parsed).toEqual({ name: 'left-pad', license: 'MIT', links: ['https://example.com'] });
});

test('json_object answers with an object of what the text states', async () => {
  const { client } = await start();
  const response = await client.responses.create({
    model: 'gpt-5',
    input: 'As json please.\nCity: Paris\nCountry: France',
    text: { format: { type: 'json_object' } },
  });
  expect(JSON.parse(response.output_text)).toMatchObject({ city: 'Paris', country: 'France' });
});

test('a function is called when it must be or the prompt names it, and its output is answered with text', async () => {
  const { client } = await start();
  const tools = [
    { type: 'function' as const, name: 'look_up', strict: false, parameters: { type: 'object', properties: {} } },
  ];
  const required = await client.responses.create({ model: 'gpt-5', input: 'Hi', tools, tool_choice: 'required' });
  expect(required.output).toMatchObject([{ type: 'function_call', name: 'look_up', arguments: '{}' }]);
  const prompt = { role: 'user' as const, content: 'Hi [[call:look_up]]' };
  const named = await client.responses.create({ model: 'gpt-5', input: [prompt], tools });
  const call = named.output[0];
  if (call?.type !== 'function_call') throw new Error('no function call');
  const output = { type: 'function_call_output' as const, call_id: call.call_id, output: 'found it' };
  const answered = await client.responses.create({ model: 'gpt-5', input: [prompt, call, output], tools });
  expect(answered.output_text).not.toBe('');
  const never = await client.responses.create({ model: 'gpt-5', input: [prompt], tools, tool_choice: 'none' });
  expect(never.output_text).not.toBe('');
});
