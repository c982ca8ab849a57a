/** Requests that begin alike find their beginning cached upstream, and what was cached is told. */
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { call } from '../harness/http.ts';
import { finished, readJob, type Stack, startStack, submitJob } from '../harness/stack.ts';

let stack: Stack;
let client: OpenAI;
beforeAll(async () => {
  stack = await startStack({
    simulator: { latencyMs: 300 },
    config: { queues: { generate: { model: 'sim-1' }, extract: { model: 'sim-1' } }, worker: { lockSeconds: 5 } },
  });
  client = new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: 'any', maxRetries: 0 });
}, 60_000);
afterAll(() => stack?.stop());

const model = 'sim-1';
/** Some 2,000 tokens. */
const rulesOf = (name: string): string => `Rules of ${name}. `.padEnd(8000, 'Be exact and brief. ');
const billed = (group: string) => stack.simulator.ledger().filter(({ key }) => key.startsWith(`${group} `));
type Batch = OpenAI.Batch & { cached_tokens: number };

/** `prefixes` sets of instructions, `each` requests of every one, mixed. */
async function start(
  group: string,
  {
    prefixes,
    each,
    input = 'What now?',
    window = '24h',
  }: Record<'prefixes' | 'each', number> & { input?: string; window?: string },
): Promise<string> {
  const lines = Array.from({ length: prefixes * each }, (_, n) => ({
    ...{ custom_id: `${n}`, method: 'POST', url: '/v1/responses' },
    body: { model, instructions: rulesOf(`${group} ${n % prefixes}`), input, metadata: { key: `${group} ${n}` } },
  }));
  const text = lines.map((line) => JSON.stringify(line)).join('\n');
  const file = await client.files.create({ file: await toFile(Buffer.from(text), 'in.jsonl'), purpose: 'batch' });
  const terms = { input_file_id: file.id, endpoint: '/v1/responses', completion_window: window as '24h' } as const;
  return (await client.batches.create(terms)).id;
}
const read = (id: string) => client.batches.retrieve(id) as unknown as Promise<Batch>;
const ended = (id: string): Promise<Batch> =>
  eventually(
    'the batch has ended',
    async () => {
      const batch = await read(id);
      return ['completed', 'failed', 'expired', 'cancelled'].includes(batch.status) && batch;
    },
    60_000,
  );

it('a key of ours is not told: a client reads prompt_cache_key as it asked for it, whole, streamed or later', async () => {
  const ask = { model, instructions: rulesOf('keys'), input: 'x' };
  const plain = await client.responses.create(ask);
  expect(plain.prompt_cache_key).toBeNull();
  expect((await client.responses.retrieve(plain.id)).prompt_cache_key).toBeNull();
  expect((await client.responses.create({ ...ask, prompt_cache_key: 'mine' })).prompt_cache_key).toBe('mine');
  const told: unknown[] = [];
  for await (const event of await client.responses.create({ ...ask, stream: true })) {
    if ('response' in event) told.push([event.type, event.response.prompt_cache_key]);
  }
  expect(told).toEqual(['created', 'in_progress', 'completed'].map((type) => [`response.${type}`, null]));
  const queued = await client.responses.create({ ...ask, input: '[[slow:1000]]', background: true });
  expect(queued.prompt_cache_key).toBeNull();
});

it('a batch of mixed beginnings pays each of them once, and says how much was cached', async () => {
  const done = await ended(await start('mixed', { prefixes: 4, each: 20 }));
  expect(done.request_counts).toEqual({ total: 80, completed: 80, failed: 0 });
  const ledger = billed('mixed');
  expect(ledger).toHaveLength(80);
  expect(ledger.filter(({ cached_tokens }) => cached_tokens === 0)).toHaveLength(4);
  const cached = ledger.reduce((sum, entry) => sum + entry.cached_tokens, 0);
  expect([done.cached_tokens, done.usage?.input_tokens_details.cached_tokens]).toEqual([cached, cached]);
  const queues = (await call<{ data: { name: string; cached_tokens: number }[] }>('GET', `${stack.api.url}/v1/queues`))
    .body;
  expect(queues.data.find(({ name }) => name === 'generate')?.cached_tokens).toBeGreaterThanOrEqual(cached);
  const metrics = (await call('GET', `${stack.api.url}/metrics`)).text;
  expect(metrics).toMatch(/millrace_tokens_total\{queue="generate",direction="cached"\} \d+/);
  // Nobody is asked what the client never asked for.
  const output = await (await client.files.content(done.output_file_id as string)).text();
  expect(output).not.toContain('"mr-');
});

it('jobs tell what was cached, each attempt too', async () => {
  const request = { model, instructions: rulesOf('jobs'), input: 'x' };
  const cached = [];
  for (let n = 0; n < 2; n++) {
    const job = await finished(stack, await submitJob(stack, { type: 'generate', queue: 'generate', request }));
    const { usage, attempts } = job as unknown as {
      usage: OpenAI.Responses.ResponseUsage;
      attempts: { usage: unknown }[];
    };
    expect(attempts[0]?.usage).toEqual(usage);
    cached.push(usage.input_tokens_details.cached_tokens);
  }
  expect(cached).toEqual([0, 1920]);
});

it('leaders that take long hold nobody up', async () => {
  // A tenth of the minute.
  const id = await start('slow', { prefixes: 1, each: 6, input: '[[slow:50000]] x', window: '1m' });
  await eventually('all are called', () => stack.simulator.stats().inFlight >= 6, 15_000);
  await client.batches.cancel(id);
  expect((await ended(id)).request_counts?.total).toBe(6);
}, 60_000);

it('a batch that is cancelled while its leaders run calls nobody else', async () => {
  const id = await start('cancelled', { prefixes: 2, each: 10, input: '[[slow:20000]] x' });
  await eventually('the leaders run', () => stack.simulator.stats().inFlight >= 2);
  await client.batches.cancel(id);
  expect((await ended(id)).request_counts).toEqual({ total: 20, completed: 0, failed: 20 });
  await eventually('nothing runs on', () => stack.simulator.stats().inFlight === 0);
  expect(billed('cancelled').length).toBeLessThanOrEqual(2);
}, 60_000);

it('the worker is killed while the leaders run: another one goes on, and each request is answered once', async () => {
  const id = await start('killed', { prefixes: 3, each: 20, input: '[[slow:1500]] x' });
  await eventually('the leaders run', () => stack.simulator.stats().inFlight >= 3);
  await stack.workers.splice(0)[0]?.kill();
  await stack.addWorker();
  const done = await ended(id);
  expect(done.request_counts).toEqual({ total: 60, completed: 60, failed: 0 });
  const output = await (await client.files.content(done.output_file_id as string)).text();
  const ids = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).custom_id as string);
  expect(ids).toEqual(Array.from({ length: 60 }, (_, n) => `${n}`));
  // The three that were cut short are called again; by then their beginnings are cached, as they were answered upstream.
  expect(billed('killed').length).toBeLessThanOrEqual(63);
  expect(billed('killed').filter(({ cached_tokens }) => cached_tokens === 0).length).toBeLessThanOrEqual(6);
  expect((await readJob(stack, JSON.parse(output.split('\n')[0] as string).response.body.id)).status).toBe('completed');
}, 90_000);
