/** Models that reason: what they are asked and show passes through, and in a tool loop they get their thoughts back. */
import OpenAI from 'openai';
import type { ResponseStreamEvent } from 'openai/resources/responses/responses';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call } from '../harness/http.ts';
import { finished, readJob, type Stack, startStack, submitJob } from '../harness/stack.ts';

let stack: Stack;
let client: OpenAI;
beforeAll(async () => {
  stack = await startStack({
    ...{ tools: true, recorded: true, simulator: { streamEvents: 3 } },
    config: {
      queues: {
        generate: { model: 'sim-reason-1', attempts: 3, backoff: { baseSeconds: 0.05, maxSeconds: 0.1 } },
        extract: { model: 'sim-reason-1' },
      },
    },
  });
  client = new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: 'any', maxRetries: 0 });
}, 60_000);
afterAll(() => stack?.stop());

const model = 'sim-reason-1';
type Item = { type: string; [field: string]: unknown };
const inputOf = (body: Record<string, unknown> | undefined) => (body?.['input'] ?? []) as Item[];

describe('effort and summary', () => {
  it('reach the model, and what it thought is in the answer and its tokens in the usage', async () => {
    const tokens: number[] = [];
    for (const effort of ['low', 'high'] as const) {
      const asked = stack.asked.length;
      const reasoning = { effort, summary: 'detailed' as const };
      const response = await client.responses.create({ model, input: 'Tides', reasoning });
      expect(stack.asked[asked]).toMatchObject({ reasoning });
      expect(response.reasoning).toMatchObject(reasoning);
      expect(response.output).toMatchObject([
        { type: 'reasoning', summary: [{ type: 'summary_text' }, { type: 'summary_text' }] },
        { type: 'message' },
      ]);
      const { usage } = await readJob(stack, response.id);
      expect(usage).toEqual(response.usage);
      tokens.push(response.usage?.output_tokens_details.reasoning_tokens ?? 0);
    }
    expect(tokens[0]).toBeGreaterThan(0);
    expect(tokens[1]).toBeGreaterThan(tokens[0] as number);
  });

  it('are streamed, part by part', async () => {
    const request = { model, input: 'Tides, streamed', reasoning: { summary: 'detailed' as const } };
    const types: string[] = [];
    const deltas = ['', ''];
    let final: ResponseStreamEvent | undefined;
    for await (const event of await client.responses.create({ ...request, stream: true })) {
      if (event.type === 'response.reasoning_summary_text.delta') deltas[event.summary_index] += event.delta;
      if ('output_index' in event && event.output_index === 0 && event.type !== types.at(-1)) types.push(event.type);
      final = event;
    }
    const part = ['_part.added', '_text.delta', '_text.done', '_part.done'].map(
      (end) => `response.reasoning_summary${end}`,
    );
    expect(types).toEqual(['response.output_item.added', ...part, ...part, 'response.output_item.done']);
    expect(final).toMatchObject({
      type: 'response.completed',
      response: { output: [{ summary: deltas.map((text) => ({ text })) }, {}] },
    });
  });

  it('of an extraction are the job’s too', async () => {
    const schema = {
      type: 'object',
      properties: { total: { type: 'number' } },
      required: ['total'],
      additionalProperties: false,
    };
    const id = await submitJob(stack, { type: 'extract', document: 'Total: 12', schema: { name: 's', schema } });
    const job = await finished(stack, id);
    expect(job).toMatchObject({
      result: { output_parsed: { total: 12 } },
      usage: { output_tokens_details: { reasoning_tokens: 320 } },
    });
  });

  it('that use up max_output_tokens leave an incomplete response', async () => {
    const response = await client.responses.create({ model, input: 'Tides', max_output_tokens: 100 });
    expect(response).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      usage: { output_tokens_details: { reasoning_tokens: 100 } },
    });
  });
});

describe('a parameter that the model does not take', () => {
  const words = "Unsupported parameter: 'temperature' is not supported with this model.";
  const request = { model, input: 'Tides', temperature: 0.2 };

  it('is refused in the upstream’s own words: on the job, after one call', async () => {
    const asked = stack.asked.length;
    const job = await finished(stack, await submitJob(stack, { type: 'generate', request }));
    expect(job).toMatchObject({
      status: 'failed',
      error: { message: words, param: 'temperature', upstream_status: 400 },
      attempts: [{ outcome: 'failed', counted: true, possibly_billed: false }],
    });
    expect(stack.asked.length - asked).toBe(1);
  });

  it('and as an error of the request that is waited for, of any API, streamed or not', async () => {
    const refused = { status: 400, param: 'temperature', type: 'invalid_request_error', message: `400 ${words}` };
    await expect(client.responses.create(request)).rejects.toMatchObject(refused);
    const messages = [{ role: 'user' as const, content: 'Tides' }];
    await expect(client.chat.completions.create({ model, messages, temperature: 0.2 })).rejects.toMatchObject(refused);
    const events: ResponseStreamEvent[] = [];
    const stream = await client.responses.create({ ...request, stream: true });
    for await (const event of stream) events.push(event);
    expect(events.at(-1)).toMatchObject({
      type: 'response.failed',
      response: { status: 'failed', error: { message: expect.stringContaining(words) } },
    });
  });

  it('and as a failed response where it was made in the background', async () => {
    const { id } = await client.responses.create({ ...request, background: true });
    await finished(stack, id);
    expect(await client.responses.retrieve(id)).toMatchObject({
      status: 'failed',
      error: { message: expect.stringContaining(words) },
    });
  });

  it('effort asked of a model that does not reason, too', async () => {
    await expect(
      client.responses.create({ model: 'gpt-4.1', input: 'Tides', reasoning: { effort: 'low' } }),
    ).rejects.toMatchObject({ status: 400, param: 'reasoning.effort' });
  });
});

describe('in a tool loop', () => {
  const tools = [{ type: 'function', name: 'get_weather' } as never];
  const input = '[[args:get_weather {"city":"Oslo"}]] [[loop:get_weather x2]] How is it?';
  const loop = async (more: object = {}) => {
    const asked = stack.asked.length;
    const response = (await client.responses.create({ model, tools, input, ...more })) as OpenAI.Responses.Response;
    return { response, asked: stack.asked.slice(asked) };
  };
  const turn = ['reasoning', 'function_call', 'function_call_output'];

  it('the model gets its reasoning back as it came, where it is stored', async () => {
    const { response, asked } = await loop({ reasoning: { summary: 'auto' } });
    expect(response.output.map(({ type }) => String(type))).toEqual([
      ...['reasoning', 'mcp_call', 'reasoning', 'mcp_call', 'reasoning', 'message'],
    ]);
    const { turns } = await readJob(stack, response.id);
    expect(asked).toHaveLength(3);
    expect(inputOf(asked[2]).map(({ type }) => type)).toEqual([undefined, ...turn, ...turn]);
    expect(inputOf(asked[2])[1]).toEqual(turns[0]?.output[0]);
    expect(inputOf(asked[2])[4]).toEqual(turns[1]?.output[0]);
    expect(inputOf(asked[2])[1]).toMatchObject({ id: expect.stringMatching(/^rs_/), summary: [{}, {}] });
    const reasoned = 3 * 320;
    expect(response.usage?.output_tokens_details.reasoning_tokens).toBe(reasoned);
  });

  it('where it is not stored, only what is encrypted, and nothing by an id', async () => {
    const encrypted = await loop({ store: false, include: ['reasoning.encrypted_content'] });
    const [, ...given] = inputOf(encrypted.asked[2]);
    expect(given.map(({ type }) => type)).toEqual([...turn, ...turn]);
    expect(given[0]).toMatchObject({ type: 'reasoning', encrypted_content: expect.stringMatching(/^gAAAAA/) });
    for (const item of given) if (item.type !== 'reasoning') expect(item).not.toHaveProperty('id');

    const plain = await loop({ store: false });
    expect(inputOf(plain.asked[2]).map(({ type }) => type)).toEqual([
      ...[undefined, 'function_call', 'function_call_output', 'function_call', 'function_call_output'],
    ]);
    expect(plain.response.output_text).toContain('celsius');
  });

  it('a conversation by previous_response_id is left to the upstream, with what each turn added', async () => {
    const first = await client.responses.create({ model, input: 'Hello.' });
    const { asked } = await loop({ previous_response_id: first.id });
    const upstreamId = (await readJob(stack, first.id)).attempts[0]?.upstream_id;
    expect(asked.map((body) => body['previous_response_id'])).toEqual([upstreamId, upstreamId, upstreamId]);
    expect(inputOf(asked[1]).map(({ type }) => type)).toEqual([undefined, ...turn]);
  });
});

it('an answer that misses its schema is asked for again with its reasoning before it', async () => {
  const schema = {
    type: 'object',
    properties: { total: { type: 'number' } },
    required: ['total'],
    additionalProperties: false,
  };
  const document = 'Total: 12 [[fault:badschema x1]]';
  const asked = stack.asked.length;
  const reply = await call<{ id: string }>('POST', `${stack.api.url}/v1/jobs`, {
    ...{ type: 'extract', document, schema: { name: 's', schema } },
  });
  expect((await finished(stack, reply.body.id)).turns).toHaveLength(1);
  expect(inputOf(stack.asked[asked + 1]).map(({ type, role }) => type ?? role)).toEqual([
    ...['user', 'reasoning', 'message', 'user'],
  ]);
});
