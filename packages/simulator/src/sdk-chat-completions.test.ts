import OpenAI, { APIError } from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import type { ChatCompletionChunk } from 'openai/resources/chat/completions';
import { afterEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { type Simulator, type SimulatorOptions, startSimulator } from './index.ts';

const open: Simulator[] = [];
const model = 'gpt-5';

async function start(options: SimulatorOptions = {}) {
  const simulator = await startSimulator(options);
  open.push(simulator);
  return { simulator, client: new OpenAI({ apiKey: 'any', baseURL: simulator.url, maxRetries: 0, logLevel: 'off' }) };
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((simulator) => simulator.close()));
});

const ask = (content: string) => [
  { role: 'system' as const, content: 'Be brief.' },
  { role: 'user' as const, content },
];

const lookUp = {
  type: 'function' as const,
  function: { name: 'look_up', parameters: { type: 'object', properties: { email: { type: 'string' } } } },
};

test('a completion says and costs what the response to the same words does, and the ledger tells them apart', async () => {
  const { client, simulator } = await start();
  const messages = ask(`Tell me about tides. ${'word '.repeat(1200)}`);
  const response = await client.responses.create({ model, input: messages });
  const completion = await client.chat.completions.create({ model, messages, metadata: { key: 'job-1' } });
  const { input_tokens, output_tokens, total_tokens } = response.usage ?? {};
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
      prompt_tokens: input_tokens,
      completion_tokens: output_tokens,
      total_tokens,
      prompt_tokens_details: { cached_tokens: 1408 },
      completion_tokens_details: { reasoning_tokens: 0 },
    },
  });
  expect(completion.id).toMatch(/^chatcmpl-[0-9a-f]{48}$/);
  await vi.waitFor(() =>
    expect(simulator.ledger()).toMatchObject([
      { api: 'responses', delivered: true },
      { api: 'chat', key: 'job-1', outcome: 'completed', delivered: true, cached_tokens: 1408 },
    ]),
  );
});

test('a stream adds up to the plain completion, its role first and its usage last where it is asked for', async () => {
  const { client, simulator } = await start({ streamEvents: 12 });
  const request = { model, messages: ask('Tell me about tides.') };
  const plain = await client.chat.completions.create(request);
  const chunks: ChatCompletionChunk[] = [];
  const options = { stream: true as const, stream_options: { include_usage: true } };
  for await (const chunk of await client.chat.completions.create({ ...request, ...options })) chunks.push(chunk);
  const deltas = chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta));
  expect(deltas[0]).toEqual({ role: 'assistant', content: '', refusal: null });
  expect(deltas.slice(1, -1)).toHaveLength(12);
  expect(deltas.map(({ content }) => content ?? '').join('')).toBe(plain.choices[0]?.message.content);
  expect(chunks.at(-2)?.choices).toMatchObject([{ delta: {}, finish_reason: 'stop' }]);
  expect(chunks.at(-1)).toMatchObject({ choices: [], usage: plain.usage });
  expect(chunks.slice(0, -1).every(({ usage }) => usage === null)).toBe(true);
  for await (const chunk of await client.chat.completions.create({ ...request, stream: true })) {
    expect(chunk).not.toHaveProperty('usage');
  }
  await vi.waitFor(() => expect(simulator.ledger().every(({ delivered }) => delivered)).toBe(true));
});

test('tool calls are the same, streamed and plain, and the SDK’s own loop runs to its end', async () => {
  const { client } = await start({ streamEvents: 3 });
  const second = { ...lookUp, function: { ...lookUp.function, name: 'second' } };
  const request = {
    model,
    messages: ask('Ask ada@example.com [[call:second]] [[call:look_up]]'),
    tools: [lookUp, second],
  };
  const plain = (await client.chat.completions.create(request)).choices[0];
  const streamed = (await client.chat.completions.stream(request).finalChatCompletion()).choices[0];
  expect(plain).toMatchObject({ finish_reason: 'tool_calls', message: { content: null } });
  const calls = [
    { type: 'function', function: { name: 'second', arguments: '{"email":"ada@example.com"}' } },
    { type: 'function', function: { name: 'look_up', arguments: '{"email":"ada@example.com"}' } },
  ];
  expect(plain?.message.tool_calls).toMatchObject(calls);
  expect(streamed?.message.tool_calls).toMatchObject(calls);
  const asked: unknown[] = [];
  const run = ({ email }: { email: string }) => asked.push(email) && `Ada ${asked.length}`;
  const tool = { ...lookUp, function: { ...lookUp.function, description: '', parse: JSON.parse, function: run } };
  const messages = ask('Who? [[loop:look_up x3]] [[args:look_up {"email":"a@b.c"}]]');
  const runner = client.chat.completions.runTools({ model, messages, tools: [tool] });
  expect(await runner.finalContent()).toContain('Ada 3');
  expect(asked).toEqual(['a@b.c', 'a@b.c', 'a@b.c']);
});

test('a structured answer parses; a refusal, a cut answer and a search are what a chat makes of them', async () => {
  const { client } = await start();
  const format = zodResponseFormat(z.object({ name: z.string(), license: z.string() }), 'package');
  const messages = [{ role: 'user' as const, content: '# left-pad\n\nMIT licensed.' }];
  const parsed = await client.chat.completions.parse({ model, messages, response_format: format });
  expect(parsed.choices[0]?.message.parsed).toEqual({ name: 'left-pad', license: 'MIT' });
  const refused = { model, messages: ask('[[fault:refusal]]') };
  const refusal = { content: null, refusal: expect.stringContaining('sorry') };
  expect((await client.chat.completions.create(refused)).choices[0]?.message).toMatchObject(refusal);
  const told = await client.chat.completions.stream(refused).finalChatCompletion();
  expect(told.choices[0]?.message).toMatchObject(refusal);
  const cut = await client.chat.completions.create({ model, messages, max_completion_tokens: 2 });
  expect(cut).toMatchObject({ choices: [{ finish_reason: 'length' }], usage: { completion_tokens: 2 } });
  const search = { model, messages: ask('Tides [[tool:web_search]]'), web_search_options: {} };
  expect((await client.chat.completions.create(search)).choices[0]?.message.annotations).toMatchObject([
    { type: 'url_citation', url_citation: { start_index: 0, url: expect.any(String) } },
  ]);
  const reasoned = await client.chat.completions.create({
    ...{ model: 'sim-reason', messages, reasoning_effort: 'low' as const },
  });
  expect(reasoned.usage?.completion_tokens_details?.reasoning_tokens).toBe(128);
});

test('limits and faults before work hit a chat as they hit a response, on the same count', async () => {
  const { client, simulator } = await start({ limits: { requestsPerMinute: 180 } });
  const { response } = await client.chat.completions.create({ model, messages: ask('Hi') }).withResponse();
  expect(response.headers.get('x-ratelimit-remaining-requests')).toBe('2');
  const prompt = 'Hi [[fault:503 x1]]';
  await expect(client.chat.completions.create({ model, messages: ask(prompt) })).rejects.toMatchObject({ status: 503 });
  expect((await client.responses.create({ model, input: prompt })).status).toBe('completed');
  await expect(client.chat.completions.create({ model, messages: ask('Hi') })).rejects.toMatchObject({ status: 429 });
  expect(simulator.stats()).toMatchObject({ requests: 4, limited: 1, billed: 2, faults: { '503': 1 } });
});

test('a failed answer is an HTTP error, or one in the middle of the stream', async () => {
  const { client, simulator } = await start();
  const request = { model, messages: ask('[[fault:failed code=server_error]]') };
  const failed = { code: 'server_error', type: 'server_error' };
  await expect(client.chat.completions.create(request)).rejects.toMatchObject({ status: 500, ...failed });
  await expect(client.chat.completions.stream(request).finalChatCompletion()).rejects.toMatchObject(failed);
  await vi.waitFor(() => expect(simulator.ledger()).toMatchObject([{ outcome: 'failed' }, { outcome: 'failed' }]));
});

test.each(['rst', 'fin', 'badjson', 'hugeline', 'noterminal'])('a stream can break: %s', async (fault) => {
  const { simulator } = await start({ streamEvents: 6 });
  const body = JSON.stringify({ model, messages: ask(`Tides [[fault:${fault}]]`), stream: true });
  const response = await fetch(`${simulator.url}/chat/completions`, { method: 'POST', body });
  let text = '';
  try {
    for await (const piece of response.body ?? []) text += Buffer.from(piece).toString();
  } catch {
    // The connection was reset, as asked.
  }
  const [whole] = fault === 'hugeline' ? ['data: [DONE]'] : [];
  expect(text.includes('data: [DONE]')).toBe(whole !== undefined);
  expect(text).toMatch(/"delta":\{"content":"/);
  expect(text.length > 60_000_000).toBe(fault === 'hugeline');
  await vi.waitFor(() => expect(simulator.ledger()).toHaveLength(1));
});

const REFUSED: [what: string, body: object, param: string | null, message: string][] = [
  ['no messages', { messages: undefined }, 'messages', 'Missing required parameter'],
  ['no message', { messages: [] }, 'messages', 'empty array'],
  ['a role nobody has', { messages: [{ role: 'bot', content: 'x' }] }, 'messages[0].role', "'bot'"],
  ['no content', { messages: [{ role: 'user', content: null }] }, 'messages[0].content', 'got null'],
  ['a field nobody knows', { input: 'x' }, 'input', "Unknown parameter: 'input'."],
  ['deprecated functions', { functions: [] }, 'functions', 'not supported here'],
  ['several choices', { n: 2 }, 'n', "'n' does not support 2"],
  ['a temperature beyond 2', { temperature: 3 }, 'temperature', '<= 2'],
  ['no tokens', { max_completion_tokens: 0 }, 'max_completion_tokens', '>= 1'],
  ['options of a stream without one', { stream_options: { include_usage: true } }, 'stream_options', 'only allowed'],
  [
    'a strict schema that allows more',
    { response_format: { type: 'json_schema', json_schema: { name: 'a', strict: true, schema: { type: 'object' } } } },
    'response_format.json_schema.schema',
    "Invalid schema for response_format 'a'",
  ],
  [
    'json without the word',
    { response_format: { type: 'json_object' } },
    'messages',
    "to use 'response_format' of type",
  ],
  ['a fault nobody knows', { messages: [{ role: 'user', content: '[[fault:501]]' }] }, 'messages', "fault '501'"],
  ['effort of a plain model', { model: 'gpt-4.1', reasoning_effort: 'low' }, 'reasoning_effort', "'reasoning_effort'"],
  [
    'max_tokens of one that reasons',
    { model: 'sim-reason', max_tokens: 9 },
    'max_tokens',
    "Use 'max_completion_tokens'",
  ],
];

test.each(REFUSED)('what is refused is named as a chat names it: %s', async (_what, changes, param, message) => {
  const { client, simulator } = await start();
  const request = { model, messages: [{ role: 'user' as const, content: 'Hi' }], ...changes };
  const error = await client.chat.completions.create(request).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ status: 400, type: 'invalid_request_error', param });
  expect(error instanceof APIError && error.message).toContain(message);
  expect(simulator.stats()).toMatchObject({ refused: 1, billed: 0 });
});

test('every kind of message, tool and choice is taken', async () => {
  const { client } = await start();
  const completion = await client.chat.completions.create({
    model,
    messages: [
      { role: 'developer', content: [{ type: 'text', text: 'Answer in json.' }] },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Look.' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } },
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
    tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [{ ...lookUp }] } },
    response_format: { type: 'json_object' },
    stop: ['x'],
    seed: 7,
    n: 1,
    frequency_penalty: 0.5,
    logit_bias: null,
    functions: null as unknown as [],
    parallel_tool_calls: true,
    verbosity: 'low',
  });
  expect(JSON.parse(completion.choices[0]?.message.content ?? '')).toMatchObject({ name: 'Ada' });
});
