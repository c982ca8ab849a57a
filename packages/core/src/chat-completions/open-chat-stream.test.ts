import * as fc from 'fast-check';
import type OpenAI from 'openai';
import { ChatCompletionStream } from 'openai/lib/ChatCompletionStream';
import { describe, expect, test } from 'vitest';
import type { ResponseObject } from '../outcome.ts';
import type { ChatCompletionChunk } from './chat-completion.ts';
import { chatCompletionOf } from './chat-completion-of.ts';
import { type ChatStreamData, type ChatStreamHead, openChatStream, type ResponsesEvent } from './open-chat-stream.ts';

const head: ChatStreamHead = { id: 'resp_abc', model: 'gpt-5-mini', created: 1_700_000_000 };

type Item =
  | { kind: 'text' | 'refusal' | 'function' | 'custom'; deltas: string[] }
  | { kind: 'reasoning'; deltas: string[] };

function itemOf({ kind, deltas }: Item, index: number) {
  const whole = deltas.join('');
  const id = `item_${index}`;
  if (kind === 'text') return { type: 'message', id, content: [{ type: 'output_text', text: whole, annotations: [] }] };
  if (kind === 'refusal') return { type: 'message', id, content: [{ type: 'refusal', refusal: whole }] };
  if (kind === 'function') return { type: 'function_call', id, call_id: `call_${index}`, name: 'f', arguments: whole };
  if (kind === 'custom') return { type: 'custom_tool_call', id, call_id: `call_${index}`, name: 'c', input: whole };
  return { type: 'reasoning', id, summary: [] };
}

const DELTA_TYPES = {
  text: 'response.output_text.delta',
  refusal: 'response.refusal.delta',
  function: 'response.function_call_arguments.delta',
  custom: 'response.custom_tool_call_input.delta',
  reasoning: 'response.reasoning_summary_text.delta',
};

const responseOf = (items: Item[], fields: Partial<ResponseObject> = {}): ResponseObject => ({
  id: 'resp_abc',
  object: 'response',
  status: 'completed',
  output: items.map(itemOf),
  ...fields,
});

/** What an upstream sends for an answer of these items. */
function eventsOf(items: Item[], fields: Partial<ResponseObject> = {}): ResponsesEvent[] {
  const response = responseOf(items, fields);
  return [
    { type: 'response.created', response: { ...response, status: 'in_progress', output: [] } },
    ...items.flatMap((item, output_index): ResponsesEvent[] => [
      { type: 'response.output_item.added', output_index, item: itemOf({ ...item, deltas: [] }, output_index) },
      ...item.deltas.map((delta) => ({ type: DELTA_TYPES[item.kind], output_index, content_index: 0, delta })),
      { type: 'response.output_item.done', output_index, item: itemOf(item, output_index) },
    ]),
    { type: `response.${response.status}`, response },
  ];
}

function dataOf(events: ResponsesEvent[], more: Partial<ChatStreamHead> = {}): ChatStreamData[] {
  const stream = openChatStream({ ...head, ...more });
  return events.flatMap((event) => stream.push(event));
}

function chunksOf(events: ResponsesEvent[], more: Partial<ChatStreamHead> = {}): ChatCompletionChunk[] {
  return dataOf(events, more).map((data) => {
    if ('error' in data) throw new Error(data.error.message);
    return data satisfies OpenAI.ChatCompletionChunk;
  });
}

const deltasOf = (events: ResponsesEvent[], more: Partial<ChatStreamHead> = {}) =>
  chunksOf(events, more).map(({ choices }) => choices[0]?.delta);

/** What the SDK makes of the chunks. */
async function rebuilt(chunks: ChatCompletionChunk[]): Promise<OpenAI.ChatCompletion> {
  const lines = chunks.map((chunk) => `${JSON.stringify(chunk)}\n`).join('');
  const stream = new Response(lines).body;
  if (stream === null) throw new Error('no body');
  return await ChatCompletionStream.fromReadableStream(stream).finalChatCompletion();
}

test('text: the role first, each delta as it comes, the reason of the end last', () => {
  const chunks = chunksOf(eventsOf([{ kind: 'text', deltas: ['Hel', 'lo'] }], { service_tier: 'default' }));
  const common = { id: 'chatcmpl-abc', object: 'chat.completion.chunk', created: 1_700_000_000, model: 'gpt-5-mini' };
  const choice = (delta: unknown, finish_reason: string | null = null) => [
    { index: 0, delta, logprobs: null, finish_reason },
  ];
  expect(chunks).toStrictEqual([
    { ...common, choices: choice({ role: 'assistant', content: '', refusal: null }) },
    { ...common, choices: choice({ content: 'Hel' }) },
    { ...common, choices: choice({ content: 'lo' }) },
    { ...common, choices: choice({}, 'stop'), service_tier: 'default' },
  ]);
});

test('an event is told when it comes, not later', () => {
  const stream = openChatStream(head);
  expect(
    stream.push({ type: 'response.output_text.delta', output_index: 0, content_index: 0, delta: 'a' }),
  ).toHaveLength(2);
  expect(
    stream.push({ type: 'response.output_text.delta', output_index: 0, content_index: 0, delta: 'b' }),
  ).toHaveLength(1);
  expect(stream.ended).toBe(false);
});

test('calls: the first delta names the tool, the next grow its arguments, each under its index', () => {
  const items: Item[] = [
    { kind: 'reasoning', deltas: ['hm'] },
    { kind: 'function', deltas: ['{"a"', ':1}'] },
    { kind: 'custom', deltas: ['ls'] },
  ];
  expect(deltasOf(eventsOf(items))).toStrictEqual([
    {
      role: 'assistant',
      content: null,
      refusal: null,
      tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'f', arguments: '' } }],
    },
    { tool_calls: [{ index: 0, function: { arguments: '{"a"' } }] },
    { tool_calls: [{ index: 0, function: { arguments: ':1}' } }] },
    { tool_calls: [{ index: 1, id: 'call_2', type: 'custom', custom: { name: 'c', input: '' } }] },
    { tool_calls: [{ index: 1, custom: { input: 'ls' } }] },
    {},
  ]);
});

test('deltas of calls that run side by side go to the call they are of', async () => {
  const items: Item[] = [
    { kind: 'function', deltas: ['{}'] },
    { kind: 'function', deltas: ['[]'] },
  ];
  const [created, addedFirst, first, , addedSecond, second] = eventsOf(items) as [ResponsesEvent, ...ResponsesEvent[]];
  const last = eventsOf(items).at(-1);
  const events = [created, addedFirst, addedSecond, second, first, last].filter((event) => event !== undefined);
  const completion = await rebuilt(chunksOf(events));
  expect(completion.choices[0]?.message.tool_calls).toMatchObject([
    { id: 'call_0', function: { arguments: '{}' } },
    { id: 'call_1', function: { arguments: '[]' } },
  ]);
});

test('a client of deprecated functions is told its one call in their shape', async () => {
  const items: Item[] = [
    { kind: 'function', deltas: ['{"a"', ':1}'] },
    { kind: 'function', deltas: ['{}'] },
  ];
  const completion = await rebuilt(chunksOf(eventsOf(items), { functionCall: true }));
  expect(completion.choices[0]).toMatchObject({
    finish_reason: 'function_call',
    message: { content: null, function_call: { name: 'f', arguments: '{"a":1}' } },
  });
});

test('usage comes last of all where it was asked for, and is null before', () => {
  const usage = { input_tokens: 1, output_tokens: 2, total_tokens: 3 };
  const chunks = chunksOf(eventsOf([{ kind: 'text', deltas: ['a'] }], { usage }), { includeUsage: true });
  const last = chunks.at(-1);
  expect(last?.choices).toStrictEqual([]);
  expect(last?.usage).toMatchObject({ prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 });
  expect(chunks.slice(0, -1).map((chunk) => chunk.usage)).toStrictEqual([null, null, null]);
  expect(chunksOf(eventsOf([], { usage }))[0]).not.toHaveProperty('usage');
});

test('log probabilities ride with the deltas they are of', () => {
  const logprobs = [{ token: 'a', logprob: -1, top_logprobs: [] }];
  const [, told] = chunksOf([{ type: 'response.output_text.delta', output_index: 0, delta: 'a', logprobs }]);
  expect(told?.choices[0]?.logprobs).toStrictEqual({
    content: [{ token: 'a', bytes: null, logprob: -1, top_logprobs: [] }],
    refusal: null,
  });
});

test('citations come once the text is whole', async () => {
  const citation = { type: 'url_citation', start_index: 0, end_index: 1, title: 'T', url: 'https://example.com' };
  const [created, added, delta] = eventsOf([{ kind: 'text', deltas: ['a'] }]) as [ResponsesEvent, ...ResponsesEvent[]];
  const content = [{ type: 'output_text', text: 'a', annotations: [citation] }];
  const response = responseOf([], { output: [{ type: 'message', content }] });
  const events = [created, added, delta, { type: 'response.completed', response }].filter(
    (event) => event !== undefined,
  );
  expect((await rebuilt(chunksOf(events))).choices[0]?.message.annotations).toMatchObject([{ type: 'url_citation' }]);
});

describe('the end', () => {
  test.each<[Partial<ResponseObject>, string]>([
    [{ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }, 'length'],
    [{ status: 'incomplete', incomplete_details: { reason: 'content_filter' } }, 'content_filter'],
  ])('%o is told as %s', (fields, reason) => {
    const chunks = chunksOf(eventsOf([{ kind: 'text', deltas: ['a'] }], fields));
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe(reason);
  });

  test('a failed response ends the stream with its error', () => {
    const error = { code: 'rate_limit_exceeded', message: 'Slow.' };
    expect(dataOf(eventsOf([], { status: 'failed', error }))).toStrictEqual([
      { error: { message: 'Slow.', type: 'rate_limit_error', param: null, code: 'rate_limit_exceeded' } },
    ]);
  });

  test.each<[ResponsesEvent, unknown]>([
    [
      { type: 'error', code: 'cancelled', message: 'Cancelled.', param: null },
      { message: 'Cancelled.', type: 'invalid_request_error', param: null, code: 'cancelled' },
    ],
    [
      { type: 'error', code: null, message: 'Sorry.', param: null },
      { message: 'Sorry.', type: 'server_error', param: null, code: 'server_error' },
    ],
    [
      { type: 'error', error: { code: 'server_error', message: 'Nested.' } },
      { message: 'Nested.', type: 'server_error', param: null, code: 'server_error' },
    ],
  ])('an error after deltas ends it too: %o', (event, error) => {
    const stream = openChatStream(head);
    stream.push({ type: 'response.output_text.delta', output_index: 0, delta: 'a' });
    expect(stream.push(event)).toStrictEqual([{ error }]);
    expect(stream.ended).toBe(true);
    expect(stream.push({ type: 'response.output_text.delta', output_index: 0, delta: 'b' })).toStrictEqual([]);
  });
});

describe('whatever the answer, and whichever events tell it, the SDK rebuilds the completion a plain call gets', () => {
  const piece = fc.string({ unit: 'grapheme', maxLength: 8 });
  const deltas = fc.array(piece, { maxLength: 6 });
  const item = fc.record({ kind: fc.constantFrom<Item['kind']>('text', 'function', 'custom', 'reasoning'), deltas });
  const refusal = fc.record({ kind: fc.constant<Item['kind']>('refusal'), deltas });
  const items = fc.oneof(fc.array(item, { maxLength: 5 }), fc.tuple(refusal));

  async function expectSame(whole: Item[], events: ResponsesEvent[]): Promise<void> {
    const plain = chatCompletionOf(responseOf(whole), head).body;
    if ('error' in plain) throw new Error('no completion');
    const { annotations: _annotations, refusal: refused, ...message } = plain.choices[0]?.message ?? {};
    const streamed = await rebuilt(chunksOf(events));
    expect(streamed).toMatchObject({ id: plain.id, model: plain.model, created: plain.created });
    expect(streamed.choices).toHaveLength(1);
    expect(streamed.choices[0]?.finish_reason).toBe(plain.choices[0]?.finish_reason);
    // The SDK leaves an empty refusal out.
    expect(streamed.choices[0]?.message.refusal || null).toBe(refused || null);
    const {
      refusal: _refusal,
      parsed: _parsed,
      ...told
    } = (streamed.choices[0]?.message ?? {}) as Record<string, unknown>;
    expect(told).toStrictEqual(message);
  }

  test('all of them', async () => {
    await fc.assert(
      fc.asyncProperty(items, async (whole) => await expectSame(whole, eventsOf(whole))),
      { numRuns: 300 },
    );
  });

  test('the last one only', async () => {
    await fc.assert(
      fc.asyncProperty(items, async (whole) => await expectSame(whole, eventsOf(whole).slice(-1))),
      { numRuns: 300 },
    );
  });

  test('deltas that stop before the end of the last item', async () => {
    const cut = fc.tuple(items, fc.nat()).map(([whole, at]) => {
      const events = eventsOf(whole);
      const last = events.at(-1) as ResponsesEvent;
      const kept = events.slice(0, at % events.length);
      return { whole, events: kept.includes(last) ? kept : [...kept, last] };
    });
    await fc.assert(
      fc.asyncProperty(cut, async ({ whole, events }) => await expectSame(whole, events)),
      { numRuns: 300 },
    );
  });
});
