import OpenAI from 'openai';
import type { ResponseInput } from 'openai/resources/responses/responses';
import { afterEach, expect, test } from 'vitest';
import { type Simulator, startSimulator } from './index.ts';

const open: Simulator[] = [];
const model = 'sim-reason-1';

async function start() {
  const simulator = await startSimulator({ streamEvents: 3 });
  open.push(simulator);
  return { simulator, client: new OpenAI({ apiKey: 'any', baseURL: simulator.url, maxRetries: 0 }) };
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((simulator) => simulator.close()));
});

test('reasoning comes first, is billed with the output and grows with the effort', async () => {
  const { client, simulator } = await start();
  const tokens: number[] = [];
  for (const effort of ['minimal', 'low', 'medium', 'high', 'xhigh'] as const) {
    const response = await client.responses.create({ model, input: 'Tides', reasoning: { effort } });
    expect(response.output).toMatchObject([{ type: 'reasoning', summary: [] }, { type: 'message' }]);
    expect(response.output[0]).not.toHaveProperty('encrypted_content');
    const { output_tokens = 0, output_tokens_details } = response.usage ?? {};
    const reasoned = output_tokens_details?.reasoning_tokens ?? 0;
    expect(output_tokens).toBe(reasoned + Math.ceil(response.output_text.length / 4));
    expect(simulator.ledger().at(-1)?.output_tokens).toBe(output_tokens);
    tokens.push(reasoned);
  }
  expect(tokens).toEqual(tokens.toSorted((a, b) => a - b));
  expect(new Set(tokens).size).toBe(5);
  expect(tokens[0]).toBeGreaterThan(0);
});

test('no effort is no reasoning; without a word it is medium', async () => {
  const { client } = await start();
  const none = await client.responses.create({ model, input: 'Tides', reasoning: { effort: 'none' } });
  expect(none.output).toMatchObject([{ type: 'message' }]);
  expect(none.usage?.output_tokens_details.reasoning_tokens).toBe(0);
  const silent = await client.responses.create({ model, input: 'Tides' });
  expect(silent.reasoning?.effort).toBe('medium');
  expect(silent.usage?.output_tokens_details.reasoning_tokens).toBe(320);
});

test('a summary is shown where it is asked for, streamed part by part', async () => {
  const { client } = await start();
  const request = { model, input: 'Tides', reasoning: { summary: 'detailed' as const } };
  const response = await client.responses.create(request);
  const [reasoning] = response.output;
  if (reasoning?.type !== 'reasoning') throw new Error('no reasoning');
  expect(reasoning.summary.map(({ type }) => type)).toEqual(['summary_text', 'summary_text']);
  const types: string[] = [];
  const deltas = ['', ''];
  for await (const event of await client.responses.create({ ...request, stream: true })) {
    if (event.type === 'response.reasoning_summary_text.delta') deltas[event.summary_index] += event.delta;
    if ('output_index' in event && event.output_index === 0 && event.type !== types.at(-1)) types.push(event.type);
  }
  const part = ['_part.added', '_text.delta', '_text.done', '_part.done'].map(
    (end) => `response.reasoning_summary${end}`,
  );
  expect(types).toEqual(['response.output_item.added', ...part, ...part, 'response.output_item.done']);
  expect(deltas).toEqual(reasoning.summary.map(({ text }) => text));
  const final = await client.responses.stream(request).finalResponse();
  expect(final.output).toMatchObject([{ type: 'reasoning' }, { type: 'message' }]);
});

test('encrypted content is included where it is asked for, and taken back in a tool loop', async () => {
  const { client } = await start();
  const tool = { type: 'function' as const, name: 'look_up', strict: false, parameters: { type: 'object' } };
  const input: ResponseInput = [{ role: 'user', content: 'Who? [[call:look_up]]' }];
  const request = { model, tools: [tool], store: false, include: ['reasoning.encrypted_content' as const] };
  const first = await client.responses.create({ ...request, input });
  expect(first.output).toMatchObject([
    { type: 'reasoning', encrypted_content: expect.stringMatching(/^gAAAAA.{80}/) },
    { type: 'function_call', name: 'look_up' },
  ]);
  const call = first.output[1];
  if (call?.type !== 'function_call') throw new Error('no function call');
  input.push(...(first.output as ResponseInput));
  input.push({ type: 'function_call_output', call_id: call.call_id, output: 'Ada' });
  const second = await client.responses.create({ ...request, input });
  expect(second.output_text).toContain('Ada');
});

test('where the tokens run out while it reasons, nothing is answered', async () => {
  const { client } = await start();
  const response = await client.responses.create({
    model,
    input: 'Tides',
    max_output_tokens: 100,
    reasoning: { summary: 'auto' },
  });
  expect(response).toMatchObject({
    status: 'incomplete',
    incomplete_details: { reason: 'max_output_tokens' },
    output: [{ type: 'reasoning', summary: [] }],
    usage: { output_tokens: 100, output_tokens_details: { reasoning_tokens: 100 } },
  });
});

test('a fault of the answer leaves the reasoning where it was', async () => {
  const { client } = await start();
  const kindsOf = async (input: string) =>
    (await client.responses.create({ model, input })).output.map(({ type }) => type);
  expect(await kindsOf('[[fault:refusal]]')).toEqual(['reasoning', 'message']);
  expect(await kindsOf('[[fault:incomplete]]')).toEqual(['reasoning', 'message']);
});

test('a model that reasons refuses sampling, one that does not refuses effort, in OpenAI’s words', async () => {
  const { client } = await start();
  const refused = async (request: Omit<OpenAI.Responses.ResponseCreateParamsNonStreaming, 'input'>) =>
    client.responses.create({ ...request, input: 'Tides' }).then(
      () => undefined,
      (error: unknown) => error,
    );
  expect(await refused({ model, temperature: 0.2 })).toMatchObject({
    status: 400,
    type: 'invalid_request_error',
    param: 'temperature',
    message: "400 Unsupported parameter: 'temperature' is not supported with this model.",
  });
  expect(await refused({ model, top_p: 0.5 })).toMatchObject({ param: 'top_p' });
  expect(await refused({ model, temperature: 1, top_p: 1 })).toBeUndefined();
  expect(await refused({ model, temperature: null })).toBeUndefined();
  expect(await refused({ model: 'gpt-4.1', reasoning: { effort: 'low' } })).toMatchObject({
    param: 'reasoning.effort',
  });
  expect(await refused({ model: 'gpt-4.1', reasoning: { effort: 'none' }, temperature: 0 })).toBeUndefined();
  expect(await refused({ model: 'gpt-5', reasoning: { effort: 'low' }, temperature: 0 })).toBeUndefined();
});

test('the model that reasons is listed', async () => {
  const { client } = await start();
  const ids: string[] = [];
  for await (const { id } of client.models.list()) ids.push(id);
  expect(ids).toContain('sim-reason');
});
