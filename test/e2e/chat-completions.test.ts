/** A client of Chat Completions that changed its base URL and nothing else: the official SDK's, over a whole stack. */
import OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { eventually } from '../harness/eventually.ts';
import { call } from '../harness/http.ts';
import { finished, type Stack, startStack } from '../harness/stack.ts';

let stack: Stack;
let client: OpenAI;
beforeAll(async () => {
  stack = await startStack({ simulator: { streamEvents: 12 } });
  client = new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: 'any', maxRetries: 0 });
}, 60_000);
afterAll(() => stack?.stop());

const messages = (content: string) => [
  { role: 'system' as const, content: 'Be brief.' },
  { role: 'user' as const, content },
];
const model = 'sim-1';
const jobs = async (): Promise<number> =>
  (await call<{ data: unknown[] }>('GET', `${stack.api.url}/v1/jobs?limit=100`)).body.data.length;

it('a completion is a job, and says what the upstream said', async () => {
  const { data, response } = await client.chat.completions
    .create({ model, messages: messages('Tell me about tides.') })
    .withResponse();
  const id = response.headers.get('millrace-job-id') as string;
  expect(data.id).toBe(id.replace('resp_', 'chatcmpl-'));
  const job = await finished(stack, id);
  expect(job.status).toBe('completed');
  const answer = await client.responses.retrieve(id);
  const [choice] = data.choices;
  expect(choice).toMatchObject({ finish_reason: 'stop', message: { role: 'assistant', content: answer.output_text } });
  expect(choice?.message.content?.length).toBeGreaterThan(10);
  expect(data.usage?.total_tokens).toBe(answer.usage?.total_tokens);
  expect(response.headers.get('x-request-id')).toMatch(/^req_/);
});

it('the SDK rebuilds the same completion from the stream, piece by piece, with its usage', async () => {
  const request = { model, messages: messages('Tell me about streams.') };
  const plain = await client.chat.completions.create(request);
  const stream = client.chat.completions.stream({ ...request, stream_options: { include_usage: true } });
  const pieces: string[] = [];
  stream.on('content', (piece) => pieces.push(piece));
  const streamed = await stream.finalChatCompletion();
  expect(pieces.length).toBeGreaterThan(5);
  expect(pieces.join('')).toBe(plain.choices[0]?.message.content);
  expect(streamed.choices).toMatchObject([{ finish_reason: 'stop', message: { content: pieces.join('') } }]);
  expect(streamed.usage).toEqual(plain.usage);
  expect(streamed.model).toBe(plain.model);
});

it('the stream ends with [DONE], as every client of it waits for', async () => {
  const response = await fetch(`${stack.api.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: messages('Hello'), stream: true }),
  });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  const text = await response.text();
  expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
  expect(text).not.toContain('event:');
});

it('tool calls come back to the client, and their results go on with', async () => {
  const tools = [
    {
      type: 'function' as const,
      function: {
        name: 'look_up',
        parameters: { type: 'object', properties: { email: { type: 'string' } }, required: ['email'] },
      },
    },
  ];
  const asked = messages('Write to ada@example.com [[call:look_up]]');
  const first = await client.chat.completions.create({ model, messages: asked, tools });
  const message = first.choices[0]?.message;
  const toolCall = message?.tool_calls?.[0];
  expect(toolCall).toMatchObject({ type: 'function', function: { name: 'look_up' } });
  const streamed = await client.chat.completions.stream({ model, messages: asked, tools }).finalChatCompletion();
  expect(streamed.choices[0]).toMatchObject({ finish_reason: 'tool_calls' });
  const second = await client.chat.completions.create({
    model,
    messages: [
      ...messages('Write to ada@example.com'),
      message as OpenAI.ChatCompletionMessage,
      { role: 'tool', tool_call_id: toolCall?.id as string, content: '{"name":"Ada"}' },
    ],
    tools,
  });
  expect(second.choices[0]?.finish_reason).toBe('stop');
});

it('structured output is parsed by the SDK as before', async () => {
  const completion = await client.chat.completions.parse({
    model,
    messages: messages('The package is called millrace.'),
    response_format: zodResponseFormat(z.object({ name: z.string() }), 'package'),
  });
  expect(typeof completion.choices[0]?.message.parsed?.name).toBe('string');
});

it('a field that would be lost is refused by its name, and nothing is stored', async () => {
  const before = await jobs();
  const refused = [
    { n: 3 },
    { logit_bias: { 50256: -100 } },
    { input: 'x' },
    { messages: [] },
    { messages: [{ role: 'wizard', content: 'x' }] },
    { response_format: { type: 'xml' } },
  ];
  for (const wrong of refused) {
    const asked = client.chat.completions.create({ model, messages: messages('x'), ...wrong } as never);
    const error = await asked.catch((one: unknown) => one);
    expect(error, JSON.stringify(wrong)).toBeInstanceOf(OpenAI.BadRequestError);
    expect((error as InstanceType<typeof OpenAI.APIError>).param).toContain(Object.keys(wrong)[0]);
  }
  expect(await jobs()).toBe(before);
});

it('what the upstream refuses is an error, plain and streamed, and the SDK does not ask again', async () => {
  const patient = new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: 'any', maxRetries: 3 });
  const refused = messages('[[fault:400]]');
  const before = await jobs();
  const plain = await patient.chat.completions.create({ model, messages: refused }).catch((error: unknown) => error);
  expect(plain).toBeInstanceOf(OpenAI.BadRequestError);
  const stream = await patient.chat.completions.create({ model, messages: refused, stream: true });
  const streamed = await (async () => {
    for await (const _ of stream);
  })().catch((error: unknown) => error);
  expect(streamed).toBeInstanceOf(OpenAI.APIError);
  expect((await jobs()) - before).toBe(2);
});

it('who asks for nothing to be stored has it forgotten once it is delivered', async () => {
  const gone = async (store?: boolean) => {
    const asked = { model, messages: messages('secret'), ...(store === undefined ? {} : { store }) };
    const { response } = await client.chat.completions.create(asked).withResponse();
    const id = response.headers.get('millrace-job-id') as string;
    return async () => (await call('GET', `${stack.api.url}/v1/jobs/${id}`)).status;
  };
  const [forgotten, kept] = [await gone(false), await gone()];
  await eventually('it is forgotten', async () => (await forgotten()) === 404);
  expect(await kept()).toBe(200);
});

it('the queue, its priority and an idempotency key are asked for in headers, as for a response', async () => {
  const headers = { 'Millrace-Priority': '2', 'Idempotency-Key': `chat-${stack.redis.port}` };
  const ask = () => client.chat.completions.create({ model, messages: messages('once') }, { headers }).withResponse();
  const [first, again] = [await ask(), await ask()];
  expect(again.response.headers.get('millrace-job-id')).toBe(first.response.headers.get('millrace-job-id'));
  expect(again.data.choices).toEqual(first.data.choices);
  const id = first.response.headers.get('millrace-job-id');
  expect((await call<{ priority: number }>('GET', `${stack.api.url}/v1/jobs/${id}`)).body.priority).toBe(2);
});
