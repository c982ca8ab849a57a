/** The way of one job through real processes, as its submitter sees it. */
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { call, submitLines } from '../harness/http.ts';
import { finished, readJob, type Stack, startStack, submitJob } from '../harness/stack.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await startStack({
    config: {
      queues: {
        generate: { model: 'sim-1', backoff: { baseSeconds: 0.1, maxSeconds: 1 } },
        extract: { model: 'sim-1' },
        hasty: { model: 'sim-1', attempts: 2, backoff: { baseSeconds: 0.05, maxSeconds: 0.1 } },
        single: { model: 'sim-1', concurrency: 1 },
        listed: { model: 'sim-1' },
      },
    },
  });
}, 60_000);
afterAll(() => stack?.stop());

const invoice = {
  name: 'invoice',
  schema: {
    type: 'object',
    properties: { total: { type: 'number' }, currency: { type: ['string', 'null'] } },
    required: ['total', 'currency'],
    additionalProperties: false,
  },
};

describe('a generate job', () => {
  it('is answered, with its usage, its attempt and its times', async () => {
    const id = await submitJob(stack, {
      type: 'generate',
      request: { input: 'Tell me of mills.' },
      metadata: { who: 'me' },
    });
    const job = await finished(stack, id);
    expect(job).toMatchObject({
      status: 'completed',
      type: 'generate',
      queue: 'generate',
      model: 'sim-1',
      metadata: { who: 'me' },
      error: null,
    });
    expect(job.result?.output_text.length).toBeGreaterThan(10);
    expect(job.usage?.total_tokens).toBeGreaterThan(0);
    expect(job.attempts).toHaveLength(1);
    expect(job.attempts[0]).toMatchObject({ number: 1, outcome: 'completed', possibly_billed: false });
    expect(job.attempts[0]?.upstream_id).toMatch(/^resp_/);
    expect(job.timings.total_seconds).toBeGreaterThan(0);
  });

  it('is a Response to the openai SDK, in the background', async () => {
    const client = new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: 'any' });
    const created = await client.responses.create({
      model: 'sim-1',
      input: 'Hello',
      background: true,
      metadata: { a: 'b' },
    });
    expect(created.id).toMatch(/^resp_[0-9a-f]{48}$/);
    expect(['queued', 'in_progress', 'completed']).toContain(created.status);
    const done = await eventually('the response is completed', async () => {
      const response = await client.responses.retrieve(created.id);
      return response.status === 'completed' && response;
    });
    expect(done.id).toBe(created.id);
    expect(done.background).toBe(true);
    expect(done.metadata).toEqual({ a: 'b' });
    expect(done.output_text.length).toBeGreaterThan(0);
    expect((await client.responses.delete(created.id)) as unknown).toEqual({
      id: created.id,
      object: 'response',
      deleted: true,
    });
    await expect(client.responses.retrieve(created.id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });

  it('is waited for on the connection where the SDK asks for no background', async () => {
    const client = new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: 'any', maxRetries: 0 });
    const response = await client.responses.create({ model: 'sim-1', input: 'Hello' });
    expect(response).toMatchObject({ status: 'completed', background: false });
    expect(response.output_text.length).toBeGreaterThan(0);
    expect(await client.responses.retrieve(response.id)).toEqual(response);
  });

  it('that is waited for and fails is an error of the SDK, in the upstream’s words, asked once', async () => {
    const client = new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: 'any' });
    const before = stack.simulator.stats().requests;
    await expect(client.responses.create({ model: 'sim-1', input: '[[fault:400]] x' })).rejects.toMatchObject({
      status: 400,
      type: 'invalid_request_error',
    });
    await expect(
      client.responses.create(
        { model: 'sim-1', input: '[[fault:500 x9]] x' },
        { headers: { 'millrace-queue': 'hasty' } },
      ),
    ).rejects.toMatchObject({ status: 500, type: 'server_error' });
    expect(stack.simulator.stats().requests - before).toBe(3);
  });

  it('that is not to be stored is forgotten once it is delivered', async () => {
    const client = new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: 'any', maxRetries: 0 });
    const plain = await client.responses.create({ model: 'sim-1', input: 'Hello', store: false });
    expect(plain).toMatchObject({ store: false });
    const ids = [plain.id];
    const stream = await client.responses.create({ model: 'sim-1', input: 'Hello', store: false, stream: true });
    for await (const event of stream) if (event.type === 'response.created') ids.push(event.response.id);
    expect(ids).toHaveLength(2);
    for (const id of ids) {
      await eventually('it is forgotten', async () => {
        return (await call('GET', `${stack.api.url}/v1/responses/${id}`)).status === 404;
      });
    }
    await expect(
      client.responses.create({ model: 'sim-1', input: 'Hello', store: false, background: true }),
    ).rejects.toMatchObject({ status: 400, param: 'store' });
  });

  it('that an SDK sends again because its connection broke is the same job', async () => {
    const body = { model: 'sim-1', input: '[[slow:1500]] once, please' };
    const gone = new AbortController();
    const headers = { 'content-type': 'application/json', 'x-stainless-retry-count': '0' };
    const url = `${stack.api.url}/v1/responses`;
    const first = fetch(url, { method: 'POST', headers, body: JSON.stringify(body), signal: gone.signal });
    first.catch(() => undefined);
    const id = await eventually('the job is there', async () => {
      const { body: page } = await call<{ data: { id: string; status: string }[] }>(
        'GET',
        `${stack.api.url}/v1/jobs?limit=1&status=in_progress`,
      );
      return page.data[0]?.id;
    });
    gone.abort();
    const again = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'x-stainless-retry-count': '1' },
      body: JSON.stringify(body),
    });
    expect(((await again.json()) as { id: string }).id).toBe(id);
    expect(again.headers.get('millrace-job-id')).toBe(id);
  });

  it('whose request the upstream refuses is failed with the upstream’s own words, once', async () => {
    const job = await finished(
      stack,
      await submitJob(stack, { type: 'generate', request: { input: '[[fault:400]] no' } }),
    );
    expect(job.status).toBe('failed');
    expect(job.attempts).toHaveLength(1);
    expect(job.error?.message.length).toBeGreaterThan(5);
    const response = await call<{ status: string; error: { code: string } }>(
      'GET',
      `${stack.api.url}/v1/responses/${job.id}`,
    );
    expect(response.body).toMatchObject({ status: 'failed', error: { code: 'server_error' } });
  });

  it('that the model refuses is completed, with the refusal in its output', async () => {
    const job = await finished(
      stack,
      await submitJob(stack, { type: 'generate', request: { input: '[[fault:refusal]]' } }),
    );
    expect(job.status).toBe('completed');
    const { body } = await call<{ output: { content: { type: string }[] }[] }>(
      'GET',
      `${stack.api.url}/v1/responses/${job.id}`,
    );
    expect(body.output[0]?.content[0]?.type).toBe('refusal');
  });

  it('that is cut short is incomplete, with what there is', async () => {
    const job = await finished(
      stack,
      await submitJob(stack, { type: 'generate', request: { input: '[[fault:incomplete]] long' } }),
    );
    expect(job.status).toBe('incomplete');
    expect(job.result).not.toBeNull();
  });

  it('survives failures that pass: the attempts are on the job', async () => {
    const job = await finished(
      stack,
      await submitJob(stack, { type: 'generate', request: { input: '[[fault:500 x2]] once more' } }),
      30_000,
    );
    expect(job.status).toBe('completed');
    expect(job.attempts.map(({ outcome, reason }) => [outcome, reason])).toEqual([
      ['retry', 'upstream_error'],
      ['retry', 'upstream_error'],
      ['completed', null],
    ]);
  });

  it('waits as long as retry-after says', async () => {
    const job = await finished(
      stack,
      await submitJob(stack, { type: 'generate', request: { input: '[[fault:429 x1 after=3]] wait' } }),
      30_000,
    );
    const [first, second] = job.attempts;
    expect(first?.reason).toBe('rate_limited');
    expect((second?.started_at ?? 0) - (first?.finished_at ?? 0)).toBeGreaterThanOrEqual(2.97);
  });
});

describe('an extract job', () => {
  it('is read out of its document and validated against its schema', async () => {
    const id = await submitJob(stack, {
      type: 'extract',
      document: '# Bill\n\nTotal: 42.5\n\nCurrency: EUR',
      schema: invoice,
    });
    const job = await finished(stack, id);
    expect(job).toMatchObject({ status: 'completed', queue: 'extract' });
    expect(job.result?.output_parsed).toEqual({ total: 42.5, currency: 'EUR' });
  });

  it('that the model refuses is failed with code refusal', async () => {
    const job = await finished(
      stack,
      await submitJob(stack, { type: 'extract', document: '[[fault:refusal]]', schema: invoice }),
    );
    expect([job.status, job.error?.code]).toEqual(['failed', 'refusal']);
  });

  it('whose answers keep missing the schema is failed with each miss named', async () => {
    const stackJob = await submitJob(stack, {
      type: 'extract',
      queue: 'hasty',
      document: '[[fault:badschema]] Total: 1',
      schema: invoice,
    });
    const job = await finished(stack, stackJob, 30_000);
    expect(job.status).toBe('failed');
    expect(job.attempts.every((attempt) => attempt.reason === 'schema_mismatch')).toBe(true);
    expect(JSON.stringify(job.error?.details)).toContain('total');
  });
});

describe('acting on jobs', () => {
  it('a waiting job is cancelled, twice is no error, and it is never called', async () => {
    const id = await submitJob(stack, { type: 'generate', request: { input: 'never send this' }, delay_seconds: 3600 });
    expect((await readJob(stack, id)).waiting_for).toMatchObject({ reason: 'delay' });
    for (let i = 0; i < 2; i++) {
      expect((await call('POST', `${stack.api.url}/v1/jobs/${id}/cancel`)).body).toMatchObject({
        id,
        status: 'cancelled',
        attempts: [],
      });
    }
    expect(stack.simulator.ledger().some((entry) => entry.key.includes('never'))).toBe(false);
  });

  it('a running job is cancelled on whichever worker it runs', async () => {
    const id = await submitJob(stack, { type: 'generate', request: { input: '[[slow:20000]] slow one' } });
    await eventually('it runs', async () => (await readJob(stack, id)).status === 'in_progress');
    await eventually('the call is under way', () => stack.simulator.stats().inFlight > 0);
    expect((await call('POST', `${stack.api.url}/v1/responses/${id}/cancel`)).body).toMatchObject({
      id,
      status: 'cancelled',
    });
    await eventually('the worker hung up', () => stack.simulator.stats().inFlight === 0);
    const job = await readJob(stack, id);
    expect(job.attempts[0]).toMatchObject({ outcome: 'cancelled', possibly_billed: true });
  });

  it('a finished job cannot be cancelled: 409', async () => {
    const job = await finished(stack, await submitJob(stack, { type: 'generate', request: { input: 'done soon' } }));
    const reply = await call<{ error: { code: string } }>('POST', `${stack.api.url}/v1/jobs/${job.id}/cancel`);
    expect([reply.status, reply.body.error.code]).toEqual([409, 'job_finished']);
    // OpenAI answers with the response as it ended, and so does its surface here.
    const response = await call('POST', `${stack.api.url}/v1/responses/${job.id}/cancel`);
    expect(response).toMatchObject({ status: 200, body: { id: job.id, status: 'completed' } });
  });

  it('retrying makes a new job that names the old one; the old one keeps its outcome', async () => {
    const job = await finished(
      stack,
      await submitJob(stack, { type: 'generate', request: { input: '[[fault:422 x1]] twice' }, metadata: { k: 'v' } }),
    );
    expect(job.status).toBe('failed');
    const reply = await call<{ id: string; retry_of: string }>('POST', `${stack.api.url}/v1/jobs/${job.id}/retry`);
    expect(reply.status).toBe(202);
    expect(reply.body.id).not.toBe(job.id);
    const again = await finished(stack, reply.body.id);
    expect(again).toMatchObject({ status: 'completed', retry_of: job.id, metadata: { k: 'v' } });
    expect((await readJob(stack, job.id)).status).toBe('failed');
  });

  it('retrying a job that still waits is a 409', async () => {
    const id = await submitJob(stack, { type: 'generate', request: { input: 'x' }, delay_seconds: 3600 });
    expect((await call('POST', `${stack.api.url}/v1/jobs/${id}/retry`)).status).toBe(409);
  });

  it('a paused queue keeps its jobs and serves them when resumed, urgent ones first', async () => {
    await call('POST', `${stack.api.url}/v1/queues/single/pause`);
    const lines = [9, 5, 0, 5].map((priority, i) => ({
      type: 'generate',
      queue: 'single',
      priority,
      request: { input: `order ${i}` },
    }));
    const ids = (await submitLines(stack.api.url, lines)).map(({ id }) => id as string);
    const paused = await call<{ data: { name: string; paused: boolean; jobs: { waiting: number } }[] }>(
      'GET',
      `${stack.api.url}/v1/queues`,
    );
    expect(paused.body.data.find(({ name }) => name === 'single')).toMatchObject({
      paused: true,
      jobs: { waiting: 4 },
    });
    await call('POST', `${stack.api.url}/v1/queues/single/resume`);
    const jobs = await Promise.all(ids.map((id) => finished(stack, id)));
    const order = jobs.map((job, i) => [job.timings.started_at ?? 0, i] as const).sort((a, b) => a[0] - b[0]);
    expect(order.map(([, i]) => i)).toEqual([2, 1, 3, 0]);
  });

  it('a job past its deadline fails as such and is not called', async () => {
    await call('POST', `${stack.api.url}/v1/queues/single/pause`);
    const deadline = new Date(Date.now() + 1000).toISOString();
    const id = await submitJob(stack, { type: 'generate', queue: 'single', deadline, request: { input: 'too late' } });
    const job = await finished(stack, id, 20_000);
    expect([job.status, job.error?.code, job.attempts.length]).toEqual(['failed', 'deadline_exceeded', 0]);
    await call('POST', `${stack.api.url}/v1/queues/single/resume`);
  });

  it('a running job is stopped at its deadline', async () => {
    const deadline = new Date(Date.now() + 1500).toISOString();
    const id = await submitJob(stack, { type: 'generate', deadline, request: { input: '[[slow:20000]] slow' } });
    const job = await finished(stack, id, 20_000);
    expect([job.status, job.error?.code]).toEqual(['failed', 'deadline_exceeded']);
    expect(job.attempts[0]?.possibly_billed).toBe(true);
  });
});

it('the listing pages through all jobs of a queue, newest first, by status too', async () => {
  await call('POST', `${stack.api.url}/v1/queues/listed/pause`);
  const lines = Array.from({ length: 25 }, (_, i) => ({
    type: 'generate',
    queue: 'listed',
    request: { input: `n ${i}` },
  }));
  const ids = (await submitLines(stack.api.url, lines)).map(({ id }) => id);
  const seen: string[] = [];
  let after = '';
  for (;;) {
    const { body } = await call<{ data: { id: string }[]; last_id: string; has_more: boolean }>(
      'GET',
      `${stack.api.url}/v1/jobs?queue=listed&status=queued&limit=10${after}`,
    );
    seen.push(...body.data.map(({ id }) => id));
    if (!body.has_more) break;
    after = `&after=${body.last_id}`;
  }
  expect(seen).toEqual([...ids].reverse());
});

it('the same idempotency key and body is the same job; another body is a 409', async () => {
  const job = { type: 'generate', request: { input: 'only once, please' } };
  const headers = { 'idempotency-key': 'order-66' };
  const replies = await Promise.all(
    [1, 2, 3].map(() => call<{ id: string }>('POST', `${stack.api.url}/v1/jobs`, job, headers)),
  );
  expect(new Set(replies.map(({ body }) => body.id)).size).toBe(1);
  const other = await call<{ error: { code: string } }>(
    'POST',
    `${stack.api.url}/v1/jobs`,
    { ...job, priority: 1 },
    headers,
  );
  expect([other.status, other.body.error.code]).toEqual([409, 'idempotency_conflict']);
});

it('the metrics count what happened, fleet-wide', async () => {
  const { text } = await call('GET', `${stack.api.url}/metrics`);
  const value = (pattern: RegExp): number => Number(pattern.exec(text)?.[1]);
  expect(value(/^millrace_jobs_finished_total\{queue="generate",outcome="completed"\} (\d+)/m)).toBeGreaterThan(3);
  expect(value(/^millrace_attempts_total\{queue="generate",outcome="retry",reason="upstream_error"\} (\d+)/m)).toBe(2);
  expect(value(/^millrace_tokens_total\{queue="generate",direction="input"\} (\d+)/m)).toBeGreaterThan(0);
  expect(value(/^millrace_job_duration_seconds_count\{queue="generate"\} (\d+)/m)).toBeGreaterThan(3);
  expect(text).toContain('nodejs_eventloop_lag_p99_seconds');
  // A call of an earlier test may still be ending.
  await eventually('the worker runs nothing', async () =>
    (await call('GET', `${stack.workers[0]?.url}/metrics`)).text.includes('millrace_worker_in_flight 0'),
  );
});
