/** Equal requests share one call: those in flight, and those that come while its answer counts. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import OpenAI from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { call, submitLines } from '../harness/http.ts';
import { finished, readJob, type Stack, startStack, submitJob } from '../harness/stack.ts';

let stack: Stack;
let client: OpenAI;
beforeAll(async () => {
  const model = 'sim-1';
  stack = await startStack({
    workers: 2,
    config: {
      webhooks: { allow: ['127.0.0.1'] },
      queues: {
        generate: { model, cache: { seconds: 600 }, attempts: 1 },
        brief: { model, cache: { seconds: 0 } },
        extract: { model, cache: { seconds: 600 } },
      },
    },
  });
  client = new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: 'any', maxRetries: 0 });
}, 60_000);
afterAll(() => stack?.stop());

const job = (input: string, more: object = {}, request: object = {}) => ({
  ...{ type: 'generate', queue: 'generate', request: { input, ...request } },
  ...more,
});
const billed = (key: string) => stack.simulator.ledger().filter((entry) => entry.key === key);
type View = Awaited<ReturnType<typeof readJob>> & { answered_by: string | null };
const ended = (id: string) => finished(stack, id) as Promise<View>;

it('1,000 equal jobs in flight make one call, and each has its own id, answer and end, 999 at no cost', async () => {
  const key = 'thousand';
  const replies = await submitLines(
    stack.api.url,
    Array.from({ length: 1000 }, () => job('[[slow:1500]] the same', {}, { metadata: { key } })),
  );
  const ids = replies.map(({ id }) => id as string);
  expect(new Set(ids).size).toBe(1000);
  const jobs = [];
  for (const id of ids) jobs.push(await ended(id));
  expect(jobs.every(({ status }) => status === 'completed')).toBe(true);
  expect(new Set(jobs.map(({ result }) => result?.output_text)).size).toBe(1);
  expect(billed(key)).toHaveLength(1);
  const leaders = jobs.filter(({ answered_by }) => answered_by === null);
  expect(leaders).toHaveLength(1);
  for (const one of jobs) {
    if (one === leaders[0]) continue;
    expect(one.answered_by).toBe(leaders[0]?.id);
    expect(one.usage?.total_tokens).toBe(0);
  }
}, 60_000);

it('one that comes later is answered from the cache, whatever does not matter for its answer; one that opts out is called', async () => {
  const first = await ended(await submitJob(stack, job('later', { priority: 3 }, { metadata: { key: 'a' } })));
  const second = await ended(await submitJob(stack, job('later', {}, { metadata: { key: 'b' }, user: 'u' })));
  expect(second.answered_by).toBe(first.id);
  expect(billed('b')).toHaveLength(0);
  const third = await ended(await submitJob(stack, job('later', { cache: false }, { metadata: { key: 'c' } })));
  expect(third.answered_by).toBeNull();
  expect(billed('c')).toHaveLength(1);
  // Another temperature is another request.
  const fourth = await ended(await submitJob(stack, job('later', {}, { metadata: { key: 'd' }, temperature: 0.3 })));
  expect(fourth.answered_by).toBeNull();
});

it('OpenAI’s surface shares too, streamed or not, and opts out by a header', async () => {
  const ask = (headers: Record<string, string> = {}) =>
    client.responses.create({ model: 'sim-1', input: 'on the surface' }, { headers });
  const [first, second] = [await ask(), await ask()];
  expect(second.id).not.toBe(first.id);
  expect(second.output_text).toBe(first.output_text);
  expect([first.usage?.total_tokens !== 0, second.usage?.total_tokens]).toEqual([true, 0]);
  // What each asked beside it is its own.
  const named = { metadata: { mine: 'yes' }, user: 'me' };
  const third = await client.responses.create({ model: 'sim-1', input: 'on the surface', ...named });
  expect(third).toMatchObject({ ...named, output_text: first.output_text });
  expect([second.metadata, (await ask()).user]).toEqual([{}, null]);
  const stream = client.responses.stream({ model: 'sim-1', input: 'on the surface' });
  const streamed = await stream.finalResponse();
  expect(streamed.output_text).toBe(first.output_text);
  const own = await ask({ 'Millrace-Cache': 'off' });
  expect(own.usage?.total_tokens).toBeGreaterThan(0);
  await expect(ask({ 'Millrace-Cache': 'maybe' })).rejects.toMatchObject({ status: 400 });
});

it('each has its own webhook, which is told of its own id', async () => {
  const told: { url: string | undefined; id: string }[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += piece;
    told.push({ url: request.url, id: JSON.parse(body).data.id });
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    const hook = (path: string) => ({ webhook_url: `http://127.0.0.1:${port}/${path}` });
    const ids = await Promise.all(
      ['a', 'b', 'c'].map((path) => submitJob(stack, job('[[slow:600]] tell each', hook(path)))),
    );
    await eventually('all are told', () => told.length === 3);
    expect(told.sort((a, b) => String(a.url).localeCompare(String(b.url)))).toEqual(
      ids.map((id, index) => ({ url: `/${'abc'[index]}`, id })),
    );
    const views = await Promise.all(ids.map(ended));
    expect(views.filter(({ answered_by }) => answered_by === null)).toHaveLength(1);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

it('what is not to be stored, or runs tools of a remote server, is shared with nobody', async () => {
  const mcp = [{ type: 'mcp', server_label: 's', server_url: 'https://example.com/mcp', require_approval: 'never' }];
  for (const more of [{ store: false }, { tools: mcp }]) {
    const ids = await Promise.all([1, 2].map(() => submitJob(stack, job('[[slow:300]] alone', {}, more))));
    const views = await Promise.all(ids.map(ended));
    expect(views.map(({ answered_by }) => answered_by)).toEqual([null, null]);
  }
});

it('a request that always fails is tried by few one after the other, then by all at once', async () => {
  const key = 'always';
  const text = '[[slow:200]] [[fault:failed code=invalid_prompt]] never';
  const replies = await submitLines(
    stack.api.url,
    Array.from({ length: 40 }, () => job(text, {}, { metadata: { key } })),
  );
  const views = [];
  for (const { id } of replies) views.push(await ended(id as string));
  expect(views.every(({ status }) => status === 'failed')).toBe(true);
  const calls = views.flatMap(({ attempts }) => attempts);
  const besides = calls.map(
    ({ started_at }) =>
      calls.filter((one) => one.started_at <= started_at && (one.finished_at ?? 0) > started_at).length,
  );
  expect(Math.max(...besides)).toBeGreaterThan(8);
});

it('where an answer counts for no time, only what is in flight shares', async () => {
  const both = await Promise.all([1, 2].map(() => submitJob(stack, job('[[slow:800]] brief', { queue: 'brief' }))));
  const views = await Promise.all(both.map(ended));
  expect(views.filter(({ answered_by }) => answered_by === null)).toHaveLength(1);
  const after = await ended(await submitJob(stack, job('[[slow:800]] brief', { queue: 'brief' })));
  expect(after.answered_by).toBeNull();
});

it('a failed leader makes a follower the leader; a cancelled one too; a cancelled follower holds up nobody', async () => {
  const slow = '[[slow:1500]] who leads?';
  const leader = await submitJob(stack, job(slow));
  await eventually('it runs', async () => (await readJob(stack, leader)).status === 'in_progress');
  const followers = await Promise.all([1, 2, 3].map(() => submitJob(stack, job(slow))));
  const [cancelled, ...others] = followers as [string, string, string];
  expect((await call('POST', `${stack.api.url}/v1/jobs/${cancelled}/cancel`)).status).toBe(200);
  expect((await call('POST', `${stack.api.url}/v1/jobs/${leader}/cancel`)).status).toBe(200);
  const views = await Promise.all(others.map(ended));
  expect(views.map(({ status }) => status)).toEqual(['completed', 'completed']);
  expect(views.filter(({ answered_by }) => answered_by === null)).toHaveLength(1);
  expect((await readJob(stack, cancelled)).status).toBe('cancelled');
});

it('a leader that fails fails alone', async () => {
  const text = '[[slow:1000]] [[fault:failed code=invalid_prompt x1]] refused once';
  const ids = await Promise.all([1, 2, 3].map(() => submitJob(stack, job(text))));
  const views = await Promise.all(ids.map(ended));
  expect(views.map(({ status }) => status).sort()).toEqual(['completed', 'completed', 'failed']);
  expect(views.filter(({ answered_by }) => answered_by !== null)).toHaveLength(1);
});

it('the worker that calls for all is killed: another calls, once, for all', async () => {
  const key = 'killed';
  const replies = await submitLines(
    stack.api.url,
    Array.from({ length: 50 }, () => job('[[slow:2000]] for all', {}, { metadata: { key } })),
  );
  const ids = replies.map(({ id }) => id as string);
  const running = async () => {
    for (const id of ids) if ((await readJob(stack, id)).status === 'in_progress') return readJob(stack, id);
    return null;
  };
  const leader = await eventually('one of them runs', running);
  const name = leader.attempts.at(-1)?.worker.split(':')[1];
  const killed = stack.workers.find(({ child }) => String(child.pid) === name);
  expect(killed).toBeDefined();
  await killed?.kill();
  for (const id of ids) expect((await finished(stack, id, 60_000)).status).toBe('completed');
  expect(billed(key).length).toBeLessThanOrEqual(2);
}, 90_000);
