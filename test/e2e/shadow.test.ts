/** Shadow: some jobs are sent to the other API too, and compared; no job notices, whatever becomes of that. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type ChatSide, chatSide } from '../harness/chat-side.ts';
import { eventually } from '../harness/eventually.ts';
import { call, submitLines } from '../harness/http.ts';
import { finished, type JobView, type Stack, startStack, submitJob } from '../harness/stack.ts';

interface Answer {
  status: string;
  text: string | null;
  error: { code: string; upstream_status?: number } | null;
}
interface Report {
  counts: { compared: number; equal: number; dropped: number };
  dropped_because: { busy: number };
  responses: { answered: number; failed: number; seconds: { mean: number; p50: number; p95: number } };
  chat: Report['responses'];
  shadow_tokens: { input_tokens: number; output_tokens: number };
  differences: { job_id: string; similarity: number | null; responses: Answer; chat: Answer }[];
}

const model = 'sim-1';
let side: ChatSide;
let stack: Stack;
beforeAll(async () => {
  side = await chatSide();
  const upstream = { baseURL: side.url, apiKey: 'sk-simulated', background: 'off' } as const;
  const queue = { model, shadow: { share: 1 } };
  stack = await startStack({
    config: {
      upstreams: { simulator: upstream },
      queues: {
        generate: queue,
        extract: queue,
        failing: queue,
        silent: queue,
        bychat: { ...queue, route: { responses: 0 } },
      },
    },
  });
  side.target = stack.simulator.url;
}, 60_000);
afterAll(async () => {
  await stack?.stop();
  await side?.close();
});
beforeEach(() => {
  side.answer = 'well';
});

const report = async (queue: string, query = ''): Promise<Report> =>
  (await call<Report>('GET', `${stack.api.url}/v1/queues/${queue}/shadow${query}`)).body;
const once = (queue: string, what: string, is: (found: Report) => boolean): Promise<Report> =>
  eventually(what, async () => {
    const found = await report(queue);
    return is(found) && found;
  });
async function answerAll(queue: string, count: number): Promise<JobView[]> {
  const jobs = Array.from({ length: count }, (_, n) => ({
    ...{ type: 'generate', queue },
    request: { model, input: `a prompt ${n}`, metadata: { key: `${queue} ${n}` } },
  }));
  const replies = await submitLines(stack.api.url, jobs);
  return Promise.all(replies.map(({ id }) => finished(stack, id as string)));
}

it('what both APIs answer is compared: counts, times, tokens, and the newest differences with their texts', async () => {
  const [same] = await answerAll('generate', 1);
  await once('generate', 'the first is compared', ({ counts }) => counts.compared === 1);
  side.answer = 'otherwise';
  const id = await submitJob(stack, { type: 'generate', request: { model, input: 'a prompt' } });
  const job = await finished(stack, id);
  const found = await once('generate', 'the other is compared', ({ counts }) => counts.compared === 2);
  expect(found.counts).toEqual({ compared: 2, equal: 1, dropped: 0 });
  expect(found.differences).toHaveLength(1);
  const [difference] = found.differences;
  expect(difference).toMatchObject({ job_id: id, responses: { text: job.result?.output_text } });
  expect(difference?.chat.text).toBe(`${job.result?.output_text} And more than that.`);
  expect(difference?.similarity).toBeGreaterThan(0);
  expect(difference?.similarity).toBeLessThan(1);
  expect(found.responses).toMatchObject({ answered: 2, failed: 0 });
  expect(found.chat.seconds.p95).toBeGreaterThan(0);
  // Counted apart: the job's usage is that of its own call.
  const own = [same, job].reduce((sum, one) => sum + (one?.usage?.output_tokens ?? 0), 0);
  const billed = stack.simulator.ledger().reduce((sum, entry) => sum + entry.output_tokens, 0);
  expect(found.shadow_tokens.output_tokens).toBe(billed - own);
  expect((await report('generate', '?limit=0')).differences).toEqual([]);
});

it('an extraction is compared too, and what went by chat with what Responses says', async () => {
  const schema = {
    ...{ type: 'object', properties: { total: { type: 'number' } } },
    ...{ required: ['total'], additionalProperties: false },
  };
  await submitJob(stack, { type: 'extract', document: 'The total is 42.', schema: { name: 'invoice', schema } });
  await once('extract', 'it is compared', ({ counts, chat }) => counts.compared === 1 && chat.answered === 1);
  const [job] = await answerAll('bychat', 1);
  expect(job).toMatchObject({ status: 'completed', api: 'chat' });
  await once('bychat', 'it is compared', ({ responses }) => responses.answered === 1);
});

it('what is not to be stored is never sent elsewhere', async () => {
  const before = (await report('generate')).counts.compared;
  const calls = side.calls();
  const request = { model, input: 'forget me', store: false };
  await finished(stack, await submitJob(stack, { type: 'generate', request }));
  // The one after it is: by then this one would have been.
  await answerAll('generate', 1);
  await once('generate', 'the next is compared', ({ counts }) => counts.compared === before + 1);
  expect(side.calls()).toBe(calls + 1);
});

it('a chat side that fails with 500s fails no job, costs none an attempt and opens no breaker', async () => {
  side.answer = 'failing';
  const jobs = await answerAll('failing', 100);
  expect(jobs.filter(({ status, attempts }) => status !== 'completed' || attempts.length !== 1)).toEqual([]);
  const found = await once('failing', 'all were compared or dropped', ({ counts }) => {
    return counts.compared + counts.dropped === 100;
  });
  expect(found.counts.compared).toBeGreaterThan(0);
  expect(found.chat).toMatchObject({ answered: 0, failed: found.counts.compared });
  expect(found.differences[0]?.chat).toMatchObject({ status: 'failed', error: { upstream_status: 500 } });
  const limits = await call<{ breakers: { state: string }[] }>('GET', `${stack.api.url}/v1/limits`);
  expect(limits.body.breakers.map(({ state }) => state)).toEqual(['closed']);
});

it('a chat side that never answers keeps no job and no worker waiting: of more than twenty the others are dropped', async () => {
  side.answer = 'silent';
  const jobs = await answerAll('silent', 100);
  expect(jobs.filter(({ status, attempts }) => status !== 'completed' || attempts.length !== 1)).toEqual([]);
  await eventually('twenty wait', () => side.waiting() === 20);
  await once('silent', 'the others are dropped', ({ dropped_because: { busy } }) => busy === 80);
  expect((await report('silent')).counts.compared).toBe(0);
  expect(await stack.workers[0]?.stop()).toBe(0);
  await eventually('nobody waits any more', () => side.waiting() === 0);
  expect((await report('silent')).counts).toEqual({ compared: 0, equal: 0, dropped: 100 });
});
