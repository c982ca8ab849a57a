/** Routing by share between the two APIs of an upstream: who goes which way, and that a share changes without a restart. */
import { readFile, writeFile } from 'node:fs/promises';
import type { ConfigInput } from '@millrace/core';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { submitLines } from '../harness/http.ts';
import { finished, type JobView, readJob, type Stack, startStack, submitJob } from '../harness/stack.ts';

type RoutedView = JobView & { api: 'responses' | 'chat' | null };
type Route = { responses: number } | undefined;

let stack: Stack;
let client: OpenAI;
beforeAll(async () => {
  stack = await startStack({ workers: 2, simulator: { streamEvents: 5 } });
  client = new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: 'any', maxRetries: 0 });
}, 60_000);
afterAll(() => stack?.stop());

const model = 'sim-1';
const INVOICE = {
  type: 'object',
  properties: { total: { type: 'number' } },
  required: ['total'],
  additionalProperties: false,
};

/** Rewrites the configuration file, and waits until every worker has taken it over. */
async function route(generate: Route, extract: Route = generate): Promise<void> {
  const file = stack.env.MILLRACE_CONFIG as string;
  const config = JSON.parse(await readFile(file, 'utf8')) as ConfigInput;
  const before = JSON.stringify(config.queues);
  const queues = { generate: { model, route: generate }, extract: { model, route: extract } };
  if (JSON.stringify(queues) === before) return;
  const marks = stack.workers.map(({ lines }) => lines.length);
  await writeFile(file, JSON.stringify({ ...config, queues }));
  const to = JSON.stringify(generate === undefined ? {} : { route: generate });
  for (const [index, { lines }] of stack.workers.entries()) {
    const taken = (line: string): boolean => {
      const said = JSON.parse(line) as Record<string, unknown>;
      return said.queue === 'generate' && said.to === to;
    };
    await eventually('the worker has taken the file over', () => lines.slice(marks[index]).some(taken));
  }
}

const asked = (conversation: number, key = `c${conversation}`) => ({
  ...{ type: 'generate', queue: 'generate' },
  request: { model, input: `conversation ${conversation}`, prompt_cache_key: `c${conversation}`, metadata: { key } },
});
async function submitAll(jobs: readonly unknown[]): Promise<string[]> {
  const replies = await submitLines(stack.api.url, jobs);
  return replies.map(({ id, error }) => id ?? expect.fail(JSON.stringify(error)));
}
/** One after the other: hundreds that ask all the time would keep the stack from its work. */
async function finishedAll(ids: readonly string[]): Promise<RoutedView[]> {
  const jobs: RoutedView[] = [];
  for (const id of ids) jobs.push((await finished(stack, id, 60_000)) as RoutedView);
  return jobs;
}
const billed = (key: string) => stack.simulator.ledger().filter((entry) => entry.key === key);
const CONVERSATIONS = Array.from({ length: 300 }, (_, index) => index);

/** Which way each conversation goes now; each job was completed by one attempt, and is billed the way it says. */
async function waysOf(round: string, conversations = CONVERSATIONS): Promise<('responses' | 'chat')[]> {
  const jobs = await finishedAll(await submitAll(conversations.map((n) => asked(n, `${round} ${n}`))));
  return jobs.map(({ status, api, attempts }, n) => {
    const calls = billed(`${round} ${n}`);
    expect({ status, attempts: attempts.length, billed: calls.map((call) => call.api) }).toEqual({
      ...{ status: 'completed', attempts: 1, billed: [api] },
    });
    return api as 'responses' | 'chat';
  });
}
const shareOf = (ways: readonly string[]): number => ways.filter((way) => way === 'responses').length / ways.length;

it('a share of 0.3 is that of 300 jobs; raised, rolled back and taken away while the workers run, it moves no others', async () => {
  await route({ responses: 0.3 });
  const some = await waysOf('some');
  expect(Math.abs(shareOf(some) - 0.3)).toBeLessThan(0.06);
  expect(await waysOf('the same')).toEqual(some);

  await route({ responses: 0.7 });
  const most = await waysOf('most');
  expect(Math.abs(shareOf(most) - 0.7)).toBeLessThan(0.06);
  expect(some.filter((way, n) => way === 'responses' && most[n] === 'chat')).toEqual([]);

  await route({ responses: 0.3 });
  expect(await waysOf('rolled back')).toEqual(some);
  await route({ responses: 0 });
  expect(shareOf(await waysOf('none', CONVERSATIONS.slice(0, 30)))).toBe(0);
  await route(undefined);
  expect(shareOf(await waysOf('all', CONVERSATIONS.slice(0, 30)))).toBe(1);
  expect(stack.workers.map(({ child }) => child.exitCode)).toEqual([null, null]);
}, 180_000);

it('a share that changes in the midst of 300 jobs fails and repeats none of them', async () => {
  await route({ responses: 1 });
  const ids = await submitAll(CONVERSATIONS.map((n) => asked(n, `midst ${n}`)));
  await route({ responses: 0 });
  const jobs = await finishedAll([...ids, ...(await submitAll([asked(0, 'midst last')]))]);
  expect(jobs.filter(({ status, attempts }) => status !== 'completed' || attempts.length !== 1)).toEqual([]);
  expect(jobs.at(-1)?.api).toBe('chat');
  for (const n of CONVERSATIONS) expect(billed(`midst ${n}`)).toHaveLength(1);
}, 60_000);

it('a faulty file changes nothing, and is told once by each worker', async () => {
  await route({ responses: 0 });
  const file = stack.env.MILLRACE_CONFIG as string;
  const good = await readFile(file, 'utf8');
  await writeFile(file, good.replaceAll('"responses":0', '"responses":7'));
  const told = () =>
    stack.workers.map(({ lines }) => lines.filter((line) => line.includes('queues.generate.route.responses')).length);
  await eventually('both workers tell the fault', () => told().every((count) => count === 1));
  const job = (await finishedAll(await submitAll([asked(1, 'faulty')])))[0];
  expect(job?.api).toBe('chat');
  await writeFile(file, good);
  await route({ responses: 1 });
  expect(told()).toEqual([1, 1]);
});

describe('by Chat Completions', () => {
  beforeEach(() => route({ responses: 0 }));

  it('a streamed job is read through the SDK: events of the finished answer, numbered, in one response', async () => {
    const stream = client.responses.stream({ model, input: 'Tell me of mills.', metadata: { key: 'streamed' } });
    const numbers: number[] = [];
    let delta = '';
    stream.on('event', (event) => numbers.push(event.sequence_number));
    stream.on('response.output_text.delta', (event) => {
      delta += event.delta;
    });
    const response = await stream.finalResponse();
    expect(response.status).toBe('completed');
    expect(delta).toBe(response.output_text);
    expect(delta.length).toBeGreaterThan(0);
    expect(numbers).toEqual(numbers.map((_, index) => index));
    expect(billed('streamed')).toMatchObject([{ api: 'chat', stream: false }]);
    expect(((await readJob(stack, response.id)) as RoutedView).api).toBe('chat');
    // Read again, from any event on.
    const again = await client.responses.retrieve(response.id, { stream: true, starting_after: 2 });
    const rest: number[] = [];
    for await (const event of again) rest.push(event.sequence_number);
    expect(rest).toEqual(numbers.slice(3));
  });

  it('an extraction is parsed and validated as ever', async () => {
    const schema = { name: 'invoice', schema: INVOICE };
    const job = await finished(
      stack,
      await submitJob(stack, { type: 'extract', document: 'The total is 42.', schema }),
    );
    expect(job).toMatchObject({ status: 'completed', api: 'chat', attempts: [{ api: 'chat' }] });
    expect(job.result?.output_parsed).toMatchObject({ total: expect.any(Number) });
  });

  it('what has no counterpart there goes by the Responses API', async () => {
    const request = { model, input: 'Find it.', tools: [{ type: 'web_search' }], metadata: { key: 'hosted' } };
    const job = (await finished(stack, await submitJob(stack, { type: 'generate', request }))) as RoutedView;
    expect([job.status, job.api]).toEqual(['completed', 'responses']);
    expect(billed('hosted')).toMatchObject([{ api: 'responses' }]);
  });

  it('a follow-up of what is stored nowhere fails before any call, and says what to do', async () => {
    const first = await client.responses.create({ model, input: 'Remember 7.' });
    const calls = stack.simulator.ledger().length;
    const request = { model, input: 'What was it?', previous_response_id: first.id };
    const job = (await finished(stack, await submitJob(stack, { type: 'generate', request }))) as RoutedView;
    expect(job).toMatchObject({ status: 'failed', api: null, error: { code: 'previous_response_not_stored' } });
    expect(job.error?.message).toContain("'input'");
    expect(stack.simulator.ledger()).toHaveLength(calls);
  });
});
