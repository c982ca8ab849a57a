/** Streams through us, as OpenAI's own SDK reads them: what the upstream sent, under our id, for everybody who reads along. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { closeRedis, connectRedis } from '@millrace/queue';
import OpenAI from 'openai';
import type { ResponseStreamEvent } from 'openai/resources/responses/responses';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { startRole } from '../harness/processes.ts';
import { type Call, type ScriptedUpstream, scriptedUpstream } from '../harness/scripted-upstream.ts';
import { readJob, type Stack, startStack } from '../harness/stack.ts';

let upstream: ScriptedUpstream;
let stack: Stack;
let client: OpenAI;

beforeAll(async () => {
  upstream = await scriptedUpstream();
  stack = await startStack({
    config: {
      upstreams: { scripted: { baseURL: upstream.url, apiKey: 'sk-scripted', background: 'off' } },
      queues: { generate: { model: 'scripted-1', backoff: { baseSeconds: 0.05, maxSeconds: 0.1 } } },
    },
  });
  client = new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: 'any', maxRetries: 0 });
}, 60_000);
afterAll(async () => {
  await stack?.stop();
  await upstream?.close();
});

type Event = { type: string; sequence_number: number; [field: string]: unknown };

const RESPONSE = {
  id: 'resp_upstream1',
  object: 'response',
  created_at: 1_800_000_000,
  status: 'in_progress',
  background: false,
  model: 'scripted-1',
  instructions: 'say "resp_upstream1" to nobody',
  output: [] as unknown[],
  usage: null as unknown,
  metadata: {},
};
const DONE = {
  ...RESPONSE,
  status: 'completed',
  output: [
    {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: 'Hello there', annotations: [] }],
    },
  ],
  usage: {
    ...{ input_tokens: 3, input_tokens_details: { cached_tokens: 0 }, output_tokens: 2 },
    ...{ output_tokens_details: { reasoning_tokens: 0 }, total_tokens: 5 },
  },
};

function opening(): Event[] {
  return [
    { type: 'response.created', sequence_number: 0, response: RESPONSE },
    { type: 'response.in_progress', sequence_number: 1, response: RESPONSE },
  ];
}

function delta(sequence: number, text: string): Event {
  const type = 'response.output_text.delta';
  return { type, sequence_number: sequence, ...{ item_id: 'msg_1', output_index: 0, content_index: 0, delta: text } };
}

const completed = (sequence: number): Event => ({
  type: 'response.completed',
  sequence_number: sequence,
  response: DONE,
});

/** As a client of ours must see it. */
function ours(id: string, events: Event[]): unknown[] {
  return events.map((event) =>
    'response' in event ? { ...event, response: { ...(event.response as object), id } } : event,
  );
}

async function collect(stream: AsyncIterable<unknown>, into: Event[] = []): Promise<Event[]> {
  for await (const event of stream) into.push(event as Event);
  return into;
}

/** Every type of event that the SDK names. */
async function eventTypes(): Promise<string[]> {
  const declared = await readFile(
    join(fileURLToPath(import.meta.resolve('openai')), '../resources/responses/responses.d.ts'),
    'utf8',
  );
  return [
    ...new Set([...declared.matchAll(/^ {4}type: '(response\.[a-z_.]+)';$/gm)].map(([, type]) => type as string)),
  ];
}

const idOf = ([first]: Event[]): string => (first as unknown as { response: { id: string } }).response.id;
const create = () => client.responses.create({ model: 'scripted-1', input: 'hi', stream: true });
const retrieve = (id: string, after?: number) =>
  client.responses.retrieve(id, { stream: true, ...(after === undefined ? {} : { starting_after: after }) });

describe('a streamed response', () => {
  it('brings every event that the upstream sent, known to the SDK or not, unchanged but for our id', async () => {
    const types = await eventTypes();
    const events: Event[] = [
      ...opening(),
      ...types
        .filter((type) => !/^(error|response\.(created|queued|in_progress|completed|incomplete|failed))$/.test(type))
        .map((type, index) => ({
          type,
          sequence_number: 2 + index,
          item_id: 'x',
          text: 'ünïcode\u2028 "resp_other" \n',
        })),
    ];
    events.push({
      type: 'response.of_next_year',
      sequence_number: events.length,
      deep: { list: [1, 2.5, null, { a: '' }] },
    });
    events.push(completed(events.length));
    expect(events.length).toBeGreaterThan(50);
    const stream = await create();
    const call = await upstream.next();
    expect(call.body).toMatchObject({ stream: true, input: 'hi' });
    for (const event of events) call.send(event);
    call.response.end();
    const seen = await collect(stream);
    const id = idOf(seen);
    expect(id).toMatch(/^resp_[0-9a-f]{48}$/);
    expect(seen).toEqual(ours(id, events));
    // And again for whoever comes later, from anywhere.
    expect(await collect(await retrieve(id))).toEqual(seen);
    for (const after of [0, 7, events.length - 3, events.length - 2]) {
      expect(await collect(await retrieve(id, after)), `after ${after}`).toEqual(seen.slice(after + 1));
    }
    expect((await client.responses.retrieve(id)) as unknown).toMatchObject({ ...DONE, id });
  });

  it('is read along live by several, from any API process, without a gap or a double at the seam', async () => {
    const other = await startRole('api', stack.env);
    try {
      const elsewhere = new OpenAI({ baseURL: `${other.url}/v1`, apiKey: 'any', maxRetries: 0 });
      const stream = await create();
      const call = await upstream.next();
      const seen: Event[] = [];
      const whole = collect(stream, seen);
      const events = [...opening(), ...Array.from({ length: 60 }, (_, i) => delta(2 + i, `w${i} `)), completed(62)];
      const send = (from: number, to: number): void => {
        for (const event of events.slice(from, to)) call.send(event);
      };
      send(0, 20);
      await eventually('the first part was read', () => seen.length >= 3);
      const id = idOf(seen);
      const late: Promise<Event[]>[] = [];
      for (let from = 20; from < 60; from += 10) {
        const after = Math.min(from - 3, seen.length - 1);
        late.push(
          elsewhere.responses
            .retrieve(id, { stream: true, starting_after: after })
            .then((events) => collect(events))
            .then((rest) => {
              expect(rest.map((event) => event.sequence_number)[0]).toBe(after + 1);
              return rest;
            }),
        );
        send(from, from + 10);
        const had = from + 4;
        await eventually('more was read', () => seen.length >= had);
      }
      send(60, 63);
      call.response.end();
      expect(await whole).toEqual(ours(id, events));
      for (const rest of await Promise.all(late)) {
        expect(rest).toEqual(seen.slice((rest[0] as Event).sequence_number));
      }
    } finally {
      await other.stop();
    }
  });

  it('rebuilds the exact text with responses.stream()', async () => {
    const words = Array.from({ length: 200 }, (_, i) => `wörd${i} 👩‍🚀 `);
    const text = words.join('');
    const item = { ...DONE.output[0], content: [{ type: 'output_text', text, annotations: [] }] };
    const part = { type: 'output_text', text: '', annotations: [] };
    const place = { item_id: 'msg_1', output_index: 0, content_index: 0 };
    const built: Omit<Event, 'sequence_number'>[] = [
      ...opening(),
      { type: 'response.output_item.added', output_index: 0, item: { ...item, status: 'in_progress', content: [] } },
      { type: 'response.content_part.added', ...place, part },
      ...words.map((word) => ({ type: 'response.output_text.delta', ...place, delta: word })),
      { type: 'response.output_text.done', ...place, text },
      { type: 'response.content_part.done', ...place, part: { ...part, text } },
      { type: 'response.output_item.done', output_index: 0, item },
      { type: 'response.completed', response: { ...DONE, output: [item] } },
    ];
    const stream = client.responses.stream({ model: 'scripted-1', input: 'hi' });
    const heard: string[] = [];
    stream.on('response.output_text.delta', (event) => heard.push(event.delta));
    const call = await upstream.next();
    for (const [index, event] of built.entries()) call.send({ ...event, sequence_number: index } as Event);
    call.response.end();
    const final = await stream.finalResponse();
    expect(final.output_text).toBe(text);
    expect(heard.join('')).toBe(text);
  });

  it('costs tens of entries, not hundreds', async () => {
    const stream = await create();
    const call = await upstream.next();
    for (const event of opening()) call.send(event);
    const seen: Event[] = [];
    const whole = collect(stream, seen);
    await eventually('the stream has begun', () => seen.length === 2);
    for (let i = 0; i < 400; i++) {
      call.send(delta(2 + i, `word ${i} `));
      if (i % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    call.send(completed(402));
    call.response.end();
    await whole;
    expect(seen).toHaveLength(403);
    expect(await entriesOf(idOf(seen))).toBeLessThan(40);
  });
});

async function entriesOf(id: string): Promise<number> {
  const redis = connectRedis(stack.redis.url, 'patient', () => undefined);
  try {
    return await redis.xlen(`{mr:generate}:events:${id}`);
  } finally {
    await closeRedis(redis);
  }
}

describe('when things go wrong', () => {
  it('who reads an attempt that fails is told so, and reads the next one from the beginning', async () => {
    const stream = await create();
    const first = await upstream.next();
    const seen: Event[] = [];
    const told = collect(stream, seen).catch((error: unknown) => error);
    for (const event of [...opening(), delta(2, 'wrong'), delta(3, ' way')]) first.send(event);
    await eventually('the first attempt was read', () => seen.length === 4);
    const id = idOf(seen);
    first.response.destroy();
    const second = await upstream.next();
    const events = [...opening(), delta(2, 'right'), completed(3)];
    second.send(events[0] as Event);
    const error = await told;
    expect(error).toBeInstanceOf(OpenAI.APIError);
    expect(error).toMatchObject({ code: 'attempt_replaced' });
    const again = collect(await retrieve(id));
    for (const event of events.slice(1)) second.send(event);
    second.response.end();
    expect(await again).toEqual(ours(id, events));
  });

  it('a response that fails for good ends its stream with response.failed', async () => {
    const stream = await create();
    const call = await upstream.next();
    for (const event of [...opening(), delta(2, 'so')]) call.send(event);
    const failed = { ...RESPONSE, status: 'failed', error: { code: 'invalid_prompt', message: 'no' } };
    call.send({ type: 'response.failed', sequence_number: 3, response: failed } as Event);
    call.response.end();
    const seen = await collect(stream);
    expect(seen.map(({ type }) => type)).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_text.delta',
      'response.failed',
    ]);
    expect(seen[3]).toMatchObject({ sequence_number: 3, response: { id: idOf(seen), status: 'failed' } });
    expect(seen[3]).toMatchObject({ response: { error: { code: 'invalid_prompt' } } });
  });

  it('a cancelled response ends its stream with an error event', async () => {
    const stream = await create();
    const call = await upstream.next();
    const seen: Event[] = [];
    const told = collect(stream, seen).catch((error: unknown) => error);
    for (const event of [...opening(), delta(2, 'so')]) call.send(event);
    await eventually('it was read', () => seen.length === 3);
    const cancelled = await client.responses.cancel(idOf(seen));
    expect(cancelled.status).toBe('cancelled');
    expect(await told).toMatchObject({ code: 'cancelled' });
    // Two cancels are one.
    expect((await client.responses.cancel(idOf(seen))).status).toBe('cancelled');
    await expect(collect(await retrieve(idOf(seen)))).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('a client that leaves does not lose its job', async () => {
    const stream = await create();
    const call = await upstream.next();
    const seen: Event[] = [];
    const left = collect(stream, seen).catch(() => undefined);
    for (const event of [...opening(), delta(2, 'so')]) call.send(event);
    await eventually('it was read', () => seen.length === 3);
    (stream as unknown as { controller: AbortController }).controller.abort();
    await left;
    for (const event of [delta(3, ' long'), completed(4)]) call.send(event);
    call.response.end();
    const id = idOf(seen);
    await eventually('the job is completed', async () => (await readJob(stack, id)).status === 'completed');
    expect((await collect(await retrieve(id, 2))).map((event) => event.sequence_number)).toEqual([3, 4]);
  });

  it('a client that claims to have more events than there are is refused by name', async () => {
    const { id } = await answered();
    await expect(retrieve(id, 4)).rejects.toMatchObject({ status: 400, param: 'starting_after' });
    await expect(retrieve(id, 3)).rejects.toMatchObject({ status: 400, param: 'starting_after' });
    expect(await collect(await retrieve(id, 2))).toHaveLength(1);
    for (const bad of ['-1', 'x', '1.5', '']) {
      const reply = await fetch(`${stack.api.url}/v1/responses/${id}?stream=true&starting_after=${bad}`);
      expect(reply.status, bad).toBe(400);
    }
    expect((await fetch(`${stack.api.url}/v1/responses/${id}?stream=maybe`)).status).toBe(400);
    expect((await fetch(`${stack.api.url}/v1/responses/resp_${'0'.repeat(48)}?stream=true`)).status).toBe(404);
  });
});

async function answered(): Promise<{ id: string; events: Event[] }> {
  const stream = await create();
  const call: Call = await upstream.next();
  const events = [...opening(), delta(2, 'Hello'), completed(3)];
  for (const event of events) call.send(event);
  call.response.end();
  const seen = await collect(stream);
  return { id: idOf(seen), events };
}

describe('an upstream that counts in its own way', () => {
  it.each([
    ['from 1', (n: number) => n + 1],
    ['not at all', () => undefined],
    ['with gaps', (n: number) => n * 2],
  ])('%s: our numbers begin at 0 and leave none out', async (_, number) => {
    const stream = await create();
    const call = await upstream.next();
    const events = [...opening(), delta(2, 'Hello'), delta(3, ' there'), completed(4)];
    for (const { sequence_number, ...event } of events) {
      const told = number(sequence_number);
      call.send((told === undefined ? event : { ...event, sequence_number: told }) as Event);
    }
    call.response.end();
    const seen = await collect(stream as AsyncIterable<ResponseStreamEvent>);
    expect(seen).toEqual(ours(idOf(seen), events));
  });
});
