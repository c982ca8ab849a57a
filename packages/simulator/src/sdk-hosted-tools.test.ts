import OpenAI from 'openai';
import type { ResponseInput, ResponseStreamEvent, Tool } from 'openai/resources/responses/responses';
import { afterEach, expect, test } from 'vitest';
import { type Simulator, startSimulator } from './index.ts';

const open: Simulator[] = [];
const model = 'gpt-5';
const TOOLS: Tool[] = [
  { type: 'web_search' },
  { type: 'file_search', vector_store_ids: ['vs_1'] },
  { type: 'code_interpreter', container: { type: 'auto' } },
  { type: 'image_generation', partial_images: 2 },
  { type: 'mcp', server_label: 'wiki', server_url: 'https://example.com/mcp', allowed_tools: ['look_up'] },
  { type: 'computer' },
];

async function start() {
  const simulator = await startSimulator({ streamEvents: 3 });
  open.push(simulator);
  return new OpenAI({ apiKey: 'any', baseURL: simulator.url, maxRetries: 0 });
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((simulator) => simulator.close()));
});

/** The streamed answer's events, without those of its message, each kind of delta once. */
async function stepsOf(client: OpenAI, tool: string): Promise<string[]> {
  const events: ResponseStreamEvent[] = [];
  const request = { model, input: `Tides, please. [[tool:${tool}]]`, tools: TOOLS, stream: true as const };
  for await (const event of await client.responses.create(request)) events.push(event);
  const steps = events.filter((event) => 'output_index' in event && event.output_index === 0).map(({ type }) => type);
  return steps.filter((type, index) => type !== steps[index - 1]);
}

const ADDED = 'response.output_item.added';
const DONE = 'response.output_item.done';
const STEPS: [tool: string, steps: string[]][] = [
  ['web_search', ['web_search_call.in_progress', 'web_search_call.searching', 'web_search_call.completed']],
  ['file_search', ['file_search_call.in_progress', 'file_search_call.searching', 'file_search_call.completed']],
  [
    'code_interpreter',
    [
      'code_interpreter_call.in_progress',
      'code_interpreter_call_code.delta',
      'code_interpreter_call_code.done',
      'code_interpreter_call.interpreting',
      'code_interpreter_call.completed',
    ],
  ],
  [
    'image_generation',
    [
      'image_generation_call.in_progress',
      'image_generation_call.generating',
      'image_generation_call.partial_image',
      'image_generation_call.completed',
    ],
  ],
  ['mcp', ['mcp_call.in_progress', 'mcp_call_arguments.delta', 'mcp_call_arguments.done', 'mcp_call.completed']],
  ['computer_use_preview', []],
];

test.each(STEPS)('%s is streamed with OpenAI’s events', async (tool, steps) => {
  const types = await stepsOf(await start(), tool);
  expect(types).toEqual([ADDED, ...steps.map((step) => `response.${step}`), DONE]);
});

test('each call is told whole, in the order of the words, before the message', async () => {
  const client = await start();
  const words =
    '[[tool:mcp]] [[tool:web_search]] [[tool:code_interpreter]] [[tool:file_search]] [[tool:image_generation]]';
  const request = { model, input: `Tides, please. ${words}`, tools: TOOLS };
  const response = await client.responses.create(request);
  expect(response.output).toMatchObject([
    {
      type: 'mcp_call',
      server_label: 'wiki',
      name: 'look_up',
      arguments: '{"query":"Tides please"}',
      output: expect.any(String),
    },
    { type: 'web_search_call', status: 'completed', action: { type: 'search', query: 'Tides please' } },
    { type: 'code_interpreter_call', code: expect.stringContaining('print'), outputs: null },
    { type: 'file_search_call', queries: ['Tides please'], results: null },
    { type: 'image_generation_call', status: 'completed' },
    { type: 'message', content: [{ annotations: [{ type: 'url_citation' }, { type: 'file_citation' }] }] },
  ]);
  expect(new Set(response.output.map(({ id }) => id)).size).toBe(6);
  expect(response.output_text).not.toContain('[[');
  const image = response.output.find((item) => item.type === 'image_generation_call')?.result ?? '';
  expect(Buffer.from(image, 'base64').subarray(1, 4).toString()).toBe('PNG');
  const streamed = await client.responses.stream({ ...request, input: `${request.input} ` }).finalResponse();
  expect(streamed.output.map(({ type }) => type)).toEqual(response.output.map(({ type }) => type));
});

test('what is asked for with include is there', async () => {
  const response = await (await start()).responses.create({
    model,
    input: 'Tides [[tool:file_search]] [[tool:code_interpreter]] [[tool:web_search]]',
    tools: TOOLS,
    include: ['file_search_call.results', 'code_interpreter_call.outputs', 'web_search_call.action.sources'],
  });
  expect(response.output).toMatchObject([
    { results: [{ filename: 'notes.txt' }] },
    { outputs: [{ type: 'logs', logs: '1\n' }] },
    { action: { sources: [{ type: 'url' }] } },
    { type: 'message' },
  ]);
});

test('a citation points into the text, and its event comes before the text is done', async () => {
  const client = await start();
  const request = { model, input: 'Tides [[tool:web_search]]', tools: TOOLS, stream: true as const };
  const types: string[] = [];
  for await (const event of await client.responses.create(request)) {
    types.push(event.type);
    if (event.type !== 'response.output_text.done') continue;
    const [citation] = types.filter((type) => type === 'response.output_text.annotation.added');
    expect(citation).toBeDefined();
    expect(event.text).toMatch(/^Tides: .*\./);
  }
  const cut = await client.responses.create({ ...request, stream: false, max_output_tokens: 16 });
  expect(cut.output.at(-1)).toMatchObject({ status: 'incomplete', content: [{ annotations: [] }] });
});

test('a computer call waits for its output; a search is not made again in the turns that follow', async () => {
  const client = await start();
  const input: ResponseInput = [{ role: 'user', content: 'Click. [[tool:computer]] [[tool:web_search]]' }];
  const first = await client.responses.create({ model, input, tools: TOOLS });
  expect(first.output).toMatchObject([
    { type: 'computer_call', call_id: expect.stringMatching(/^call_/), pending_safety_checks: [] },
    { type: 'web_search_call' },
  ]);
  const call = first.output[0];
  if (call?.type !== 'computer_call') throw new Error('no computer call');
  const screenshot = { type: 'computer_screenshot' as const, image_url: 'data:image/png;base64,AA==' };
  input.push(...(first.output as ResponseInput));
  input.push({ type: 'computer_call_output', call_id: call.call_id, output: screenshot });
  const second = await client.responses.create({ model, input, tools: TOOLS });
  expect(second.output).toMatchObject([{ type: 'message' }]);
  input.push(...(second.output as ResponseInput), { role: 'user', content: 'And now? [[tool:mcp]]' });
  const third = await client.responses.create({ model, input, tools: TOOLS });
  expect(third.output).toMatchObject([{ type: 'mcp_call' }, { type: 'message' }]);
});

test('a tool that is not offered is not called, a chosen one is, and one nobody knows is refused', async () => {
  const client = await start();
  const input = 'Tides [[tool:web_search]]';
  expect((await client.responses.create({ model, input })).output).toMatchObject([{ type: 'message' }]);
  const chosen = { model, input: 'Tides', tools: TOOLS, tool_choice: { type: 'file_search' as const } };
  expect((await client.responses.create(chosen)).output[0]).toMatchObject({ type: 'file_search_call' });
  await expect(client.responses.create({ model, input: '[[tool:telepathy]]' })).rejects.toMatchObject({
    status: 400,
    code: 'unknown_tool',
  });
});
