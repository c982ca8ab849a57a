/** Batches, with OpenAI's SDK as the only client. */
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { call } from '../harness/http.ts';
import { type Stack, startStack } from '../harness/stack.ts';

let stack: Stack;
let client: OpenAI;

beforeAll(async () => {
  stack = await startStack({
    config: {
      queues: {
        generate: { model: 'sim-1', backoff: { baseSeconds: 0.05, maxSeconds: 0.1 }, attempts: 3 },
        small: { model: 'sim-1', maxWaiting: 60, concurrency: 5 },
      },
      batches: { maxLines: 3000, maxBytes: 5_000_000 },
    },
  });
  client = new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: 'any', maxRetries: 0 });
}, 60_000);
afterAll(() => stack?.stop());

type Line = Record<string, unknown>;
const responsesLine = (id: string, input: string, more: Line = {}): Line => ({
  custom_id: id,
  method: 'POST',
  url: '/v1/responses',
  body: { model: 'sim-1', input, ...more },
});

async function upload(text: string | Buffer): Promise<string> {
  return (await client.files.create({ file: await toFile(Buffer.from(text), 'in.jsonl'), purpose: 'batch' })).id;
}
const jsonl = (lines: readonly unknown[]): string => `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`;

async function start(
  lines: readonly unknown[] | string,
  more: Partial<OpenAI.BatchCreateParams> & { queue?: string } = {},
): Promise<OpenAI.Batch> {
  const { queue, ...params } = more;
  return client.batches.create(
    {
      input_file_id: await upload(typeof lines === 'string' ? lines : jsonl(lines)),
      endpoint: '/v1/responses',
      completion_window: '24h',
      ...params,
    },
    queue === undefined ? {} : { headers: { 'Millrace-Queue': queue } },
  );
}

const ENDED = ['completed', 'failed', 'expired', 'cancelled'];
const ended = (id: string, ms = 30_000): Promise<OpenAI.Batch> =>
  eventually(
    'the batch has ended',
    async () => {
      const batch = await client.batches.retrieve(id);
      return ENDED.includes(batch.status) && batch;
    },
    ms,
  );

interface Result {
  id: string;
  custom_id: string;
  response: { status_code: number; request_id: string; body: Record<string, unknown> } | null;
  error: { code: string; message: string } | null;
}
async function results(fileId: string | null | undefined): Promise<Result[]> {
  if (!fileId) return [];
  const text = await (await client.files.content(fileId)).text();
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Result);
}

describe('a batch', () => {
  it('answers each request once, in an output and an error file', async () => {
    const lines = [
      ...Array.from({ length: 300 }, (_, i) => responsesLine(`r-${i}`, `question ${i}`)),
      responsesLine('bad-1', '[[fault:400]] no'),
      responsesLine('bad-2', '[[fault:500 x9]] no'),
      responsesLine('short', '[[fault:incomplete]] cut'),
    ];
    const created = await start(lines, { metadata: { job: 'nightly' } });
    expect(created).toMatchObject({
      ...{ object: 'batch', status: 'validating', endpoint: '/v1/responses', completion_window: '24h' },
      ...{ metadata: { job: 'nightly' }, errors: null, output_file_id: null, error_file_id: null },
    });
    expect(created.expires_at).toBe(created.created_at + 86_400);
    const done = await ended(created.id);
    expect(done).toMatchObject({
      status: 'completed',
      request_counts: { total: 303, completed: 301, failed: 2 },
      model: 'sim-1',
    });
    const [output, errors] = [await results(done.output_file_id), await results(done.error_file_id)];
    expect(output.map((line) => line.custom_id)).toEqual([
      ...lines.slice(0, 300).map((line) => line.custom_id),
      'short',
    ]);
    expect(errors.map((line) => line.custom_id)).toEqual(['bad-1', 'bad-2']);
    for (const line of output) {
      expect(line).toMatchObject({ error: null, response: { status_code: 200, body: { object: 'response' } } });
      expect(line.id).toMatch(/^batch_req_/);
      const id = line.response?.body.id as string;
      expect(id).toMatch(/^resp_[0-9a-f]{48}$/);
    }
    expect(new Set([...output, ...errors].map(({ id }) => id)).size).toBe(303);
    expect(errors[0]).toMatchObject({
      response: { status_code: 400, body: { error: { type: 'invalid_request_error' } } },
    });
    expect(errors[1]).toMatchObject({
      response: { status_code: 500, body: { error: { message: expect.any(String) } } },
    });
    // Its jobs are jobs: each can be read, and tells where it comes from.
    const id = output[7]?.response?.body.id as string;
    expect((await client.responses.retrieve(id)).id).toBe(id);
    expect((await call('GET', `${stack.api.url}/v1/jobs/${id}`)).body).toMatchObject({
      batch_id: created.id,
      custom_id: 'r-7',
    });
    const used = output.map(({ response }) => response?.body.usage as { total_tokens: number });
    const usage = used.reduce((sum, { total_tokens: tokens }) => sum + tokens, 0);
    expect(done.usage?.total_tokens).toBe(usage);
    expect((await client.files.retrieve(done.output_file_id as string)).purpose).toBe('batch_output');
  });

  it('of Chat Completions is asked as responses, and answered as it was asked', async () => {
    const body = { model: 'sim-1', messages: [{ role: 'user', content: 'Say hello' }], max_tokens: 500 };
    const lines = ['a', 'b'].map((id) => ({ custom_id: id, method: 'POST', url: '/v1/chat/completions', body }));
    const done = await ended((await start(lines, { endpoint: '/v1/chat/completions' })).id);
    expect(done.status).toBe('completed');
    for (const line of await results(done.output_file_id)) {
      expect(line.response?.body).toMatchObject({
        object: 'chat.completion',
        choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: expect.any(String) } }],
      });
    }
  });

  it('reads its lines as they come: without a last line break, with CRLF, blank lines and a byte order mark', async () => {
    const text = `\ufeff${JSON.stringify(responsesLine('a', 'x'))}\r\n\r\n\n${JSON.stringify(responsesLine('ü', 'y'))}`;
    const done = await ended((await start(text)).id);
    expect(done.status, JSON.stringify(done.errors)).toBe('completed');
    expect((await results(done.output_file_id)).map((line) => line.custom_id)).toEqual(['a', 'ü']);
  });

  it('larger than its queue waits for room', async () => {
    const lines = Array.from({ length: 450 }, (_, i) => responsesLine(`${i}`, `q${i}`));
    const done = await ended((await start(lines, { queue: 'small' })).id, 60_000);
    expect(done).toMatchObject({ status: 'completed', request_counts: { total: 450, completed: 450, failed: 0 } });
    expect((await results(done.output_file_id)).map((line) => line.custom_id)).toEqual(
      lines.map((line) => line.custom_id),
    );
  }, 90_000);

  it('is the same batch when it is sent again under its idempotency key', async () => {
    const params = {
      input_file_id: await upload(jsonl([responsesLine('a', 'x')])),
      endpoint: '/v1/responses',
      completion_window: '24h',
    } as const;
    const headers = { 'Idempotency-Key': 'once' };
    const first = await client.batches.create(params, { headers });
    expect((await client.batches.create(params, { headers })).id).toBe(first.id);
    await expect(client.batches.create({ ...params, metadata: { other: 'x' } }, { headers })).rejects.toMatchObject({
      status: 409,
    });
    await ended(first.id);
  });

  it('is listed, newest first, page by page', async () => {
    const ids: string[] = [];
    for await (const batch of client.batches.list({ limit: 2 })) ids.push(batch.id);
    expect(ids.length).toBeGreaterThan(3);
    expect(new Set(ids).size).toBe(ids.length);
    await expect(client.batches.list({ after: `batch_${'0'.repeat(48)}` })).rejects.toMatchObject({ status: 400 });
    await expect(client.batches.list({ limit: 0 })).rejects.toMatchObject({ status: 400 });
  });
});

describe('a batch that is cancelled', () => {
  it('stops, and has the files of what was done; two cancels are one; its input stays until then', async () => {
    const lines = [
      ...Array.from({ length: 20 }, (_, i) => responsesLine(`fast-${i}`, `q${i}`)),
      ...Array.from({ length: 600 }, (_, i) => responsesLine(`slow-${i}`, `[[slow:60000]] q${i}`)),
    ];
    const { id } = await start(lines);
    await eventually('the fast ones are done', async () => {
      const counts = (await client.batches.retrieve(id)).request_counts;
      return (counts?.completed ?? 0) >= 20;
    });
    const { input_file_id: input } = await client.batches.retrieve(id);
    await expect(client.files.delete(input)).rejects.toMatchObject({ status: 409, code: 'file_in_use' });
    const cancelled = await client.batches.cancel(id);
    expect(['cancelling', 'cancelled']).toContain(cancelled.status);
    expect((await client.batches.cancel(id)).cancelling_at).toBe(cancelled.cancelling_at);
    const done = await ended(id);
    expect(done).toMatchObject({ status: 'cancelled', request_counts: { total: 620, completed: 20, failed: 600 } });
    const [output, errors] = [await results(done.output_file_id), await results(done.error_file_id)];
    expect(output).toHaveLength(20);
    expect(errors).toHaveLength(600);
    expect(errors.every(({ response, error }) => response === null && error?.code === 'batch_cancelled')).toBe(true);
    expect(new Set([...output, ...errors].map((line) => line.custom_id)).size).toBe(620);
    expect((await client.batches.cancel(id)).status).toBe('cancelled');
    // By now nobody reads it.
    expect((await client.files.delete(input)).deleted).toBe(true);
    await eventually('nothing runs on', () => stack.simulator.stats().inFlight === 0);
  }, 60_000);

  it('cannot be one that has ended', async () => {
    const done = await ended((await start([responsesLine('a', 'x')])).id);
    await expect(client.batches.cancel(done.id)).rejects.toMatchObject({ status: 409, code: 'batch_not_cancellable' });
  });
});

it('a batch whose time is over has the files of what was done by then', async () => {
  const lines = [responsesLine('in time', 'x'), responsesLine('late', '[[slow:300000]] x')];
  const { id } = await start(lines, { completion_window: '1m' as '24h' });
  // A minute is the least; so that the test need not wait for it, the batch is made that much older.
  await eventually(
    'its jobs are there',
    async () => (await client.batches.retrieve(id)).request_counts?.completed === 1,
  );
  await age(id);
  const done = await ended(id, 30_000);
  expect(done).toMatchObject({ status: 'expired', request_counts: { total: 2, completed: 1, failed: 1 } });
  expect(done.expired_at).toBeGreaterThan(0);
  expect((await results(done.output_file_id)).map((line) => line.custom_id)).toEqual(['in time']);
  expect(await results(done.error_file_id)).toMatchObject([
    { custom_id: 'late', response: null, error: { code: 'batch_expired' } },
  ]);
}, 60_000);

async function age(id: string): Promise<void> {
  const { closeRedis, connectRedis } = await import('@millrace/queue');
  const redis = connectRedis(stack.redis.url, 'patient', () => undefined);
  try {
    await redis.hset(`{mr:generate}:batch:${id}`, 'expires_at', Date.now());
    for (const job of await redis.zrange('{mr:generate}:deadlines', '0', '-1')) {
      await redis.zadd('{mr:generate}:deadlines', Date.now(), job);
      await redis.hset(`{mr:generate}:job:${job}`, 'deadline', Date.now());
    }
  } finally {
    await closeRedis(redis);
  }
}

describe('an input that is none', () => {
  const good = JSON.stringify(responsesLine('ok', 'x'));
  const wrong = (change: Line): string => JSON.stringify({ ...responsesLine('odd', 'x'), ...change });
  // Side by side: each waits until a worker looks for new batches.
  it.concurrent.each([
    ['no JSON', '{"custom_id": ', 'invalid_json', null],
    ['not an object', '[1]', 'invalid_type', null],
    ['without a custom_id', wrong({ custom_id: undefined }), 'missing_required_parameter', 'custom_id'],
    ['with a custom_id that is a number', wrong({ custom_id: 5 }), 'invalid_type', 'custom_id'],
    ['with an empty custom_id', wrong({ custom_id: '' }), 'invalid_value', 'custom_id'],
    ['with a custom_id used before', good, 'duplicate_custom_id', 'custom_id'],
    ['with another method', wrong({ method: 'GET' }), 'invalid_value', 'method'],
    ['for another endpoint', wrong({ url: '/v1/embeddings' }), 'invalid_value', 'url'],
    ['without a body', wrong({ body: undefined }), 'missing_required_parameter', 'body'],
    ['with a body that is text', wrong({ body: 'x' }), 'invalid_type', 'body'],
    ['with an unknown field', wrong({ extra: 1 }), 'unknown_parameter', 'extra'],
    ['with a wrong name in its body', wrong({ body: { messages: [] } }), 'unknown_parameter', 'body.messages'],
    ['that asks for a stream', wrong({ body: { input: 'x', stream: true } }), 'invalid_value', 'body.stream'],
    [
      'that asks for the background',
      wrong({ body: { input: 'x', background: true } }),
      'invalid_value',
      'body.background',
    ],
    [
      'with __proto__',
      '{"custom_id":"p","__proto__":{"x":1},"method":"POST","url":"/v1/responses","body":{"input":"x"}}',
      null,
      null,
    ],
  ])('a line %s fails the batch by its number, and nothing is called', async (_, line, code, param) => {
    const before = stack.simulator.stats().requests;
    const done = await ended((await start(`${good}\n\n${line}\n`)).id);
    expect(done).toMatchObject({ status: 'failed', output_file_id: null, error_file_id: null });
    const [error] = done.errors?.data ?? [];
    expect(done.errors?.object).toBe('list');
    expect(error).toMatchObject({ line: 3, message: expect.any(String) });
    if (code !== null) expect(error).toMatchObject({ code, param });
    expect(stack.simulator.stats().requests).toBe(before);
  });

  it.concurrent('is told of all its faulty lines, up to a bound, and of bad bytes', async () => {
    const many = Array.from({ length: 150 }, () => 'nonsense').join('\n');
    expect((await ended((await start(many)).id)).errors?.data).toHaveLength(100);
    const bytes = Buffer.concat([
      Buffer.from(`${good}\n{"custom_id":"`),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('"}\n'),
    ]);
    const created = await client.batches.create({
      input_file_id: await upload(bytes),
      endpoint: '/v1/responses',
      completion_window: '24h',
    });
    expect((await ended(created.id)).errors?.data).toMatchObject([{ line: 2, code: 'bad_encoding' }]);
  });

  it.concurrent('is empty, or has too many lines', async () => {
    expect((await ended((await start('\n \n')).id)).errors?.data).toMatchObject([{ code: 'empty_file', line: null }]);
    const lines = Array.from({ length: 3001 }, (_, i) => responsesLine(`${i}`, 'x'));
    expect((await ended((await start(lines)).id)).errors?.data).toMatchObject([{ code: 'too_many_requests' }]);
  });

  it.each([
    ['an unknown file', { input_file_id: `file-${'0'.repeat(32)}` }, 'input_file_id'],
    ['something that is no id', { input_file_id: '../x' }, 'input_file_id'],
    ['another endpoint', { endpoint: '/v1/embeddings' }, 'endpoint'],
    ['no window', { completion_window: undefined }, 'completion_window'],
    ['a window of seconds', { completion_window: '30s' }, 'completion_window'],
    ['a window of nothing', { completion_window: '0h' }, 'completion_window'],
    ['a window of a year', { completion_window: '365d' }, 'completion_window'],
    ['metadata that are numbers', { metadata: { a: 1 } }, 'metadata'],
    ['a field that is not known', { window: '24h' }, 'window'],
    ['an odd expiry', { output_expires_after: { anchor: 'now', seconds: 5 } }, 'output_expires_after'],
  ])('%s is refused at once, by its name', async (_, change, param) => {
    const before = (await client.batches.list({ limit: 1 })).data[0]?.id;
    const body = { input_file_id: await upload(good), endpoint: '/v1/responses', completion_window: '24h', ...change };
    const reply = await call<{ error: { param: string } }>('POST', `${stack.api.url}/v1/batches`, body);
    expect([reply.status, reply.body.error.param], reply.text).toEqual([400, param]);
    expect((await client.batches.list({ limit: 1 })).data[0]?.id).toBe(before);
  });

  it('a batch that does not exist is not found', async () => {
    for (const id of [`batch_${'0'.repeat(48)}`, 'batch_x', 'x']) {
      await expect(client.batches.retrieve(id)).rejects.toMatchObject({ status: 404 });
      await expect(client.batches.cancel(id)).rejects.toMatchObject({ status: 404 });
    }
  });
});
