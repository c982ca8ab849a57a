/** Tools that the upstream runs itself: their events, calls and citations arrive as it told them, and are counted. */
import OpenAI from 'openai';
import type { ResponseInput, ResponseStreamEvent, Tool } from 'openai/resources/responses/responses';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { call } from '../harness/http.ts';
import { readJob, type Stack, startStack } from '../harness/stack.ts';

let stack: Stack;
let client: OpenAI;
/** The upstream without us, to compare with. */
let upstream: OpenAI;
beforeAll(async () => {
  stack = await startStack({ tools: true, recorded: true, simulator: { streamEvents: 3 } });
  client = new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: 'any', maxRetries: 0 });
  upstream = new OpenAI({ baseURL: stack.simulator.url, apiKey: 'any', maxRetries: 0 });
}, 60_000);
afterAll(() => stack?.stop());

const model = 'gpt-5';
const TOOLS: Tool[] = [
  { type: 'web_search' },
  { type: 'file_search', vector_store_ids: ['vs_1'] },
  { type: 'code_interpreter', container: { type: 'auto' } },
  { type: 'image_generation', partial_images: 2 },
  { type: 'mcp', server_label: 'wiki', server_url: 'https://example.com/mcp', allowed_tools: ['look_up'] },
  { type: 'computer' },
];
const INCLUDE: OpenAI.Responses.ResponseIncludable[] = [
  ...(['file_search_call.results', 'code_interpreter_call.outputs', 'web_search_call.action.sources'] as const),
];
const EACH = ['web_search', 'file_search', 'code_interpreter', 'image_generation', 'mcp', 'computer'] as const;

const requestOf = (...tools: readonly string[]) => ({
  ...{ model, tools: TOOLS, include: INCLUDE },
  input: `Tides, please. ${tools.map((tool) => `[[tool:${tool}]]`).join(' ')}`,
});

async function eventsOf(api: OpenAI, request: object): Promise<ResponseStreamEvent[]> {
  const events: ResponseStreamEvent[] = [];
  const stream = await api.responses.create({
    ...request,
    stream: true,
  } as OpenAI.Responses.ResponseCreateParamsStreaming);
  for await (const event of stream) events.push(event);
  return events;
}

/** Without what differs from one call to the next: ids and times. */
function comparable(value: unknown): unknown {
  const text = JSON.stringify(value, (key, one) => (/(^id|_id|_at)$/.test(key) && key !== 'file_id' ? undefined : one));
  return JSON.parse(text);
}

describe.each(EACH)('%s', (tool) => {
  it('streamed: the upstream’s events, in order, under our id; the SDK puts the same response together', async () => {
    const request = requestOf(tool);
    const [ours, theirs] = [await eventsOf(client, request), await eventsOf(upstream, request)];
    expect(ours.map(({ sequence_number }) => sequence_number)).toEqual(ours.map((_, index) => index));
    expect(comparable(ours)).toEqual(comparable(theirs));

    const first = ours[0] as ResponseStreamEvent & { type: 'response.created' };
    for (const event of ours) if ('response' in event) expect(event.response.id).toBe(first.response.id);
    const final = await client.responses.stream({ ...request, input: `${request.input} ` }).finalResponse();
    const kept = await client.responses.retrieve(final.id);
    expect(kept.output).toEqual(
      JSON.parse(JSON.stringify(final.output, (key, one) => (key === 'parsed' ? undefined : one))),
    );
  });

  it('plain: the items and citations of the upstream, and the call is counted', async () => {
    const request = requestOf(tool);
    const [ours, theirs] = [await client.responses.create(request), await upstream.responses.create(request)];
    expect(comparable(ours.output)).toEqual(comparable(theirs.output));
    expect(ours.output[0]?.type).toBe(`${tool}_call`);
    expect((await readJob(stack, ours.id)).tool_calls).toEqual({ [`${tool}_call`]: 1 });
  });
});

it('several in one answer, made in the background and read later: each is there, in order, and counted', async () => {
  const tools = ['mcp', 'web_search', 'code_interpreter', 'file_search', 'image_generation'];
  const { id } = await client.responses.create({ ...requestOf(...tools), background: true });
  const events: ResponseStreamEvent[] = [];
  for await (const event of await client.responses.retrieve(id, { stream: true })) events.push(event);
  const last = events.at(-1);
  if (last?.type !== 'response.completed') throw new Error(`it ended by ${last?.type}`);
  expect(last.response.output.map(({ type }) => type)).toEqual([...tools.map((tool) => `${tool}_call`), 'message']);
  expect(last.response.output.at(-1)).toMatchObject({
    content: [{ annotations: [{ type: 'url_citation' }, { type: 'file_citation' }] }],
  });
  expect((await client.responses.retrieve(id)).output).toEqual(last.response.output);
  expect((await readJob(stack, id)).tool_calls).toEqual(Object.fromEntries(tools.map((tool) => [`${tool}_call`, 1])));
});

it('a computer’s call is the client’s to act on, and its screenshot goes on', async () => {
  const input: ResponseInput = [{ role: 'user', content: 'Click. [[tool:computer]]' }];
  const first = await client.responses.create({ model, input, tools: TOOLS });
  const [act] = first.output;
  if (act?.type !== 'computer_call') throw new Error('no computer call');
  // 1 × 1 pixel.
  const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';
  const output = { type: 'computer_screenshot' as const, image_url: `data:image/png;base64,${png}` };
  const second = await client.responses.create({
    ...{ model, tools: TOOLS },
    input: [
      ...input,
      ...(first.output as ResponseInput),
      { type: 'computer_call_output', call_id: act.call_id, output },
    ],
  });
  expect(second.output).toMatchObject([{ type: 'message' }]);
});

describe('beside a function that a worker runs', () => {
  const tools = [{ type: 'web_search' }, { type: 'function', name: 'get_weather' }] as never[];
  const input = 'Tides. [[tool:web_search]] [[args:get_weather {"city":"Oslo"}]] [[call:get_weather]]';
  const types = ['web_search_call', 'mcp_call', 'message'];

  it('a turn has both; the next call is given both, and both are in the answer', async () => {
    const asked = stack.asked.length;
    const response = await client.responses.create({ model, tools, input });
    expect(response.output.map(({ type }) => String(type))).toEqual(types);
    const job = await readJob(stack, response.id);
    expect(job.turns.map(({ output }) => output.map(({ type }) => type))).toEqual([
      ['web_search_call', 'function_call'],
    ]);
    expect(job.tool_calls).toEqual({ web_search_call: 1 });
    const [, second, ...others] = stack.asked.slice(asked);
    expect(others).toEqual([]);
    expect(second?.['input']).toMatchObject([
      { role: 'user' },
      ...(job.turns[0]?.output ?? []),
      { type: 'function_call_output', output: expect.stringContaining('21') },
    ]);
  });

  it('streamed, it is one response', async () => {
    const events = await eventsOf(client, { model, tools, input: `${input} ` });
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, index) => index));
    const added = events.flatMap((event) =>
      event.type === 'response.output_item.added' ? [[event.output_index, String(event.item.type)]] : [],
    );
    expect(added).toEqual(types.map((type, index) => [index, type]));
    expect(events.filter(({ type }) => type === 'response.web_search_call.searching')).toHaveLength(1);
  });

  it('a job that ends in the middle has what was called counted too', async () => {
    const request = { model, tools, input: `${input} [[loop:slow_step x90]]` };
    const looped = [...tools, { type: 'function', name: 'slow_step' }] as never[];
    const { id } = await client.responses.create({ ...request, tools: looped, background: true });
    await eventually('a turn is noted', async () => (await readJob(stack, id)).turns.length > 0);
    await client.responses.cancel(id);
    expect(await readJob(stack, id)).toMatchObject({ status: 'cancelled', tool_calls: { web_search_call: 1 } });
  });
});

it('the calls of all jobs are counted for the fleet, by tool', async () => {
  const { text } = await call('GET', `${stack.api.url}/metrics`);
  for (const tool of EACH) {
    const count = new RegExp(`^millrace_tool_calls_total\\{queue="generate",type="${tool}_call"\\} (\\d+)$`, 'm');
    expect(Number(count.exec(text)?.[1])).toBeGreaterThanOrEqual(3);
  }
});
