/**
 * Chat Completions over a Responses server: requests converted by @millrace/core go to a real simulator, and the
 * official SDK's own chat client reads what comes back.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { chatCompletionOf, isAnswerable, openChatStream, responsesRequestOf } from '@millrace/core';
import OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import type { ResponseCreateParamsNonStreaming } from 'openai/resources/responses/responses';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { type SimulatorOptions, startSimulator } from './index.ts';

const model = 'gpt-5-mini';
const open: { close(): unknown }[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

/** Answers one chat request with what the Responses server says to the converted one. */
async function serve(upstream: OpenAI, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { request, stream, ...told } = responsesRequestOf(JSON.parse(await text(req)));
  const body = request as unknown as ResponseCreateParamsNonStreaming;
  if (!stream) {
    const { _request_id, output_text: _text, ...response } = await upstream.responses.create(body);
    const head = { id: response.id, model: response.model, created: response.created_at, ...told };
    const answer = chatCompletionOf(response, head);
    res.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
    return;
  }
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  const chat = openChatStream({ id: 'resp_1', model, created: 1, ...told });
  for await (const event of await upstream.responses.create({ ...body, stream: true })) {
    for (const data of chat.push({ ...event })) res.write(`data: ${JSON.stringify(data)}\n\n`);
  }
  res.end('data: [DONE]\n\n');
}

function refuse(error: unknown, res: ServerResponse): void {
  const refused = isAnswerable(error) || error instanceof OpenAI.APIError;
  if (!refused) throw error;
  const { message, type, param, code } = error;
  const body = JSON.stringify({ error: { message, type, param, code } });
  res.writeHead(error.status ?? 500, { 'content-type': 'application/json' }).end(body);
}

/** A chat client, whose server is a Responses server behind the conversion. */
async function start(options: SimulatorOptions = {}): Promise<{ client: OpenAI; upstream: OpenAI }> {
  const simulator = await startSimulator(options);
  const upstream = new OpenAI({ apiKey: 'any', baseURL: simulator.url, maxRetries: 0 });
  const server: Server = createServer((req, res) => {
    serve(upstream, req, res).catch((error: unknown) => refuse(error, res));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push(simulator, {
    close() {
      server.close();
      server.closeAllConnections();
    },
  });
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return { client: new OpenAI({ apiKey: 'any', baseURL: `http://127.0.0.1:${port}/v1`, maxRetries: 0 }), upstream };
}

const ask = (content: string) => [
  { role: 'system' as const, content: 'Be brief.' },
  { role: 'user' as const, content },
];

const lookUp = {
  type: 'function' as const,
  function: {
    name: 'look_up',
    parameters: { type: 'object', properties: { email: { type: 'string' } }, required: ['email'] },
  },
};

test('a plain completion says what the Responses server says to the same words', async () => {
  const { client, upstream } = await start();
  const messages = ask('Tell me about tides.');
  const response = await upstream.responses.create({ model, input: messages });
  const completion = await client.chat.completions.create({ model, messages, n: 1, temperature: 1, stop: null });
  expect(completion).toMatchObject({
    object: 'chat.completion',
    model,
    choices: [
      {
        index: 0,
        finish_reason: 'stop',
        logprobs: null,
        message: { role: 'assistant', content: response.output_text, refusal: null, annotations: [] },
      },
    ],
    usage: {
      prompt_tokens: response.usage?.input_tokens,
      completion_tokens: response.usage?.output_tokens,
      total_tokens: response.usage?.total_tokens,
    },
  });
  expect(completion.id).toMatch(/^chatcmpl-[0-9a-f]{48}$/);
});

test('the SDK’s chat stream rebuilds the exact text and usage of a plain completion', async () => {
  const { client } = await start({ streamEvents: 12 });
  const request = { model, messages: ask('Tell me about tides.') };
  const plain = await client.chat.completions.create(request);
  const stream = client.chat.completions.stream({ ...request, stream_options: { include_usage: true } });
  const deltas: string[] = [];
  stream.on('content', (delta) => deltas.push(delta));
  const streamed = await stream.finalChatCompletion();
  expect(deltas).toHaveLength(12);
  expect(deltas.join('')).toBe(plain.choices[0]?.message.content);
  expect(streamed.choices[0]?.message.content).toBe(plain.choices[0]?.message.content);
  expect(streamed.choices[0]?.finish_reason).toBe('stop');
  expect(streamed.usage).toEqual(plain.usage);
});

test('several tool calls are the same, streamed and plain', async () => {
  const { client } = await start({ streamEvents: 4 });
  const tools = ['first', 'second'].map((name) => ({ ...lookUp, function: { ...lookUp.function, name } }));
  const request = { model, messages: ask('Write to ada@example.com [[call:second]] [[call:first]]'), tools };
  const plain = await client.chat.completions.create(request);
  const streamed = await client.chat.completions.stream(request).finalChatCompletion();
  expect(plain.choices[0]).toMatchObject({
    finish_reason: 'tool_calls',
    message: {
      content: null,
      tool_calls: [
        { type: 'function', function: { name: 'second', arguments: '{"email":"ada@example.com"}' } },
        { type: 'function', function: { name: 'first', arguments: '{"email":"ada@example.com"}' } },
      ],
    },
  });
  const named = (completion: OpenAI.ChatCompletion) =>
    completion.choices[0]?.message.tool_calls?.map((call) => call.type === 'function' && call.function);
  expect(named(streamed)).toMatchObject(named(plain) ?? []);
  expect(streamed.choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { content: null } });
});

test('the SDK’s tool loop runs to its answer, its own messages sent back as they are', async () => {
  const { client } = await start();
  const asked: string[] = [];
  const tool = {
    type: 'function' as const,
    function: {
      ...lookUp.function,
      description: 'Looks a person up.',
      parse: JSON.parse,
      function: ({ email }: { email: string }) => {
        asked.push(email);
        return 'Ada Lovelace';
      },
    },
  };
  const messages = ask('Who is ada@example.com? [[call:look_up]]');
  const runner = client.chat.completions.runTools({ model, messages, tools: [tool], stream: true });
  expect(await runner.finalContent()).toMatch(/\S/);
  expect(asked).toEqual(['ada@example.com']);
});

test('a client of deprecated functions gets its call in their shape, and an answer to its result', async () => {
  const { client } = await start();
  const { parameters } = lookUp.function;
  const messages = ask('Write to ada@example.com [[call:look_up]]');
  const functions = [{ name: 'look_up', parameters }];
  const completion = await client.chat.completions.create({ model, messages, functions });
  const message = completion.choices[0]?.message;
  expect(completion.choices[0]?.finish_reason).toBe('function_call');
  expect(message?.function_call).toEqual({ name: 'look_up', arguments: '{"email":"ada@example.com"}' });
  if (!message) throw new Error('no message');
  const answered = await client.chat.completions.create({
    model,
    messages: [...messages, message, { role: 'function', name: 'look_up', content: 'Ada' }],
    functions,
  });
  expect(answered.choices[0]?.message.content).toMatch(/\S/);
});

test('a structured answer parses with the SDK’s zod format, plain and streamed', async () => {
  const { client } = await start();
  const Package = z.object({ name: z.string(), license: z.enum(['MIT', 'ISC']).nullable() });
  const request = {
    model,
    messages: [{ role: 'user' as const, content: '# left-pad\n\nMIT licensed.' }],
    response_format: zodResponseFormat(Package, 'package'),
  };
  const plain = await client.chat.completions.parse(request);
  expect(plain.choices[0]?.message.parsed).toEqual({ name: 'left-pad', license: 'MIT' });
  const streamed = await client.chat.completions.stream(request).finalChatCompletion();
  expect(streamed.choices[0]?.message.parsed).toEqual({ name: 'left-pad', license: 'MIT' });
});

test('a refusal is one, and a cut answer says length, plain and streamed', async () => {
  const { client } = await start();
  const refused = { model, messages: ask('[[fault:refusal]]') };
  const plain = await client.chat.completions.create(refused);
  expect(plain.choices[0]?.message).toMatchObject({ content: null, refusal: expect.stringContaining('sorry') });
  const streamed = await client.chat.completions.stream(refused).finalChatCompletion();
  expect(streamed.choices[0]?.message).toMatchObject({ content: null, refusal: plain.choices[0]?.message.refusal });
  const cut = { model, messages: ask('Tell me about tides.'), max_tokens: 16 };
  expect((await client.chat.completions.create(cut)).choices[0]?.finish_reason).toBe('length');
  const cutStream = await client.chat.completions.create({ ...cut, stream: true });
  const reasons: unknown[] = [];
  for await (const chunk of cutStream) reasons.push(chunk.choices[0]?.finish_reason);
  expect(reasons.at(-1)).toBe('length');
});

test('a failed response is an error the SDK throws, plain and in the middle of a stream', async () => {
  const { client } = await start();
  const request = { model, messages: ask('[[fault:failed code=server_error]]') };
  const failed = { code: 'server_error', type: 'server_error' };
  await expect(client.chat.completions.create(request)).rejects.toMatchObject({ status: 500, ...failed });
  await expect(client.chat.completions.stream(request).finalChatCompletion()).rejects.toMatchObject(failed);
});

test('what cannot be converted is a bad request that names the parameter', async () => {
  const { client } = await start();
  const rejected = client.chat.completions.create({ model, messages: ask('Hi'), seed: 7 });
  await expect(rejected).rejects.toMatchObject({ status: 400, param: 'seed', code: 'unsupported_parameter' });
});

test('a Responses server takes every kind of message, tool and choice as it is converted', async () => {
  const { client } = await start();
  const completion = await client.chat.completions.create({
    model,
    messages: [
      { role: 'developer', content: [{ type: 'text', text: 'Answer in json.' }] },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Look.' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } },
          { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } },
          { type: 'file', file: { file_id: 'file_1' } },
        ],
      },
      { role: 'assistant', content: [{ type: 'text', text: 'Yes?' }] },
      { role: 'assistant', content: null, refusal: 'No.' },
      {
        role: 'assistant',
        content: '',
        tool_calls: [{ id: 'call_1', ...lookUp, function: { name: 'look_up', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'call_1', content: [{ type: 'text', text: 'Name: Ada' }] },
    ],
    tools: [lookUp, { type: 'custom', custom: { name: 'shell' } }],
    tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [lookUp] } },
    web_search_options: { search_context_size: 'low' },
    response_format: { type: 'json_object' },
    logprobs: true,
    top_logprobs: 2,
    max_completion_tokens: 500,
    metadata: { key: 'job-1' },
    parallel_tool_calls: true,
    reasoning_effort: 'low',
    service_tier: 'auto',
    verbosity: 'low',
  });
  expect(JSON.parse(completion.choices[0]?.message.content ?? '')).toBeTypeOf('object');
});
