/** What a caller may get wrong at the API: each is refused in OpenAI's shape, and nothing is stored. */
import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { call, submitLines } from '../harness/http.ts';
import { type RoleProcess, startRole } from '../harness/processes.ts';
import { freshRedis, type TestRedis } from '../harness/redis.ts';

let redis: TestRedis;
let api: RoleProcess;

interface ErrorReply {
  error: { message: string; type: string; param: string | null; code: string | null };
}

beforeAll(async () => {
  redis = await freshRedis();
  const config = join(tmpdir(), `millrace-${randomBytes(6).toString('hex')}.json`);
  await writeFile(
    config,
    JSON.stringify({
      queues: { generate: {}, extract: {}, tiny: { maxWaiting: 2 } },
      schemas: {
        invoice: {
          type: 'object',
          properties: { total: { type: 'number' } },
          required: ['total'],
          additionalProperties: false,
        },
      },
    }),
  );
  api = await startRole('api', { REDIS_URL: redis.url, MILLRACE_CONFIG: config });
});

afterAll(async () => {
  await api?.stop();
  await redis?.dispose();
});

async function jobsStored(): Promise<number> {
  const { body } = await call<{ data: { jobs: Record<string, number> }[] }>('GET', `${api.url}/v1/queues`);
  return body.data.reduce((sum, queue) => sum + Object.values(queue.jobs).reduce((a, b) => a + b, 0), 0);
}

async function refused(
  body: unknown,
  path = '/v1/jobs',
  headers: Record<string, string> = {},
): Promise<ErrorReply['error'] & { status: number }> {
  const before = await jobsStored();
  const reply = await call<ErrorReply>('POST', `${api.url}${path}`, body, headers);
  expect(Object.keys(reply.body.error).sort()).toEqual(['code', 'message', 'param', 'type']);
  expect(reply.headers.get('x-request-id')).toMatch(/^req_/);
  expect(await jobsStored()).toBe(before);
  return { status: reply.status, ...reply.body.error };
}

const strictSchema = {
  type: 'object',
  properties: { a: { type: 'string' } },
  required: ['a'],
  additionalProperties: false,
};

describe('a refused job is answered in OpenAI’s shape and stored nowhere', () => {
  const generate = { type: 'generate', request: { input: 'hi' } };

  it('invalid JSON', async () => {
    expect(await refused('{"type": ')).toMatchObject({
      status: 400,
      type: 'invalid_request_error',
      code: 'invalid_json',
    });
  });
  it('an empty body', async () => {
    expect(await refused('')).toMatchObject({ status: 400, code: 'invalid_json' });
  });
  it('deep nesting', async () => {
    const error = await refused(`{"type":"generate","request":{"input":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`);
    expect(error).toMatchObject({ status: 400, code: 'invalid_json' });
    expect(error.message).toContain('64');
  });
  it('__proto__, also escaped', async () => {
    expect(
      await refused('{"type":"generate","request":{"input":"x","metadata":{"__proto__":{"a":"b"}}}}'),
    ).toMatchObject({ status: 400 });
    expect(
      await refused('{"type":"generate","request":{"input":"x","metadata":{"__pro\\u0074o__":{"a":"b"}}}}'),
    ).toMatchObject({ status: 400 });
  });
  it('a body of 100 MB, announced or chunked', async () => {
    const before = await jobsStored();
    for (const announced of [true, false]) {
      const reply = await hugeBody(100 * 1024 * 1024, announced);
      expect(reply).toMatchObject({ status: 413, code: 'request_too_large' });
    }
    expect(await jobsStored()).toBe(before);
  });
  it('a gzip bomb', async () => {
    const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024, 32));
    const before = await jobsStored();
    const response = await fetch(`${api.url}/v1/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      body: bomb,
    });
    expect(response.status).toBe(413);
    expect(((await response.json()) as ErrorReply).error.code).toBe('request_too_large');
    expect(await jobsStored()).toBe(before);
  });
  it('a gzip bomb as NDJSON costs one error line and bounded memory', async () => {
    const response = await fetch(`${api.url}/v1/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip' },
      body: gzipSync(Buffer.concat([Buffer.alloc(100 * 1024 * 1024, 97), Buffer.from('\n{"type":"generate"}\n')])),
    });
    const lines = (await response.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as ErrorReply);
    expect(lines.map((line) => line.error.code)).toEqual(['request_too_large', 'missing_required_parameter']);
  });
  it('gzip that is none', async () => {
    const response = await fetch(`${api.url}/v1/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      body: 'not gzip',
    });
    expect(response.status).toBe(400);
    expect(((await response.json()) as ErrorReply).error.code).toBe('bad_encoding');
  });
  it('an unknown queue, naming those there are', async () => {
    const error = await refused({ ...generate, queue: 'nope' });
    expect(error).toMatchObject({ status: 400, param: 'queue', code: 'queue_not_found' });
    expect(error.message).toContain('extract');
  });
  it('an unknown schema', async () => {
    const error = await refused({ type: 'extract', document: 'd', schema: 'nope' });
    expect(error).toMatchObject({ status: 400, param: 'schema', code: 'schema_not_found' });
    expect(error.message).toContain('invoice');
  });
  it('a schema strict mode would refuse, with the path', async () => {
    const schema = {
      ...strictSchema,
      properties: {
        a: { type: 'object', properties: { price: { type: 'number' } }, required: [], additionalProperties: false },
      },
    };
    const error = await refused({ type: 'extract', document: 'd', schema: { name: 's', schema } });
    expect(error).toMatchObject({ status: 400, code: 'invalid_json_schema' });
    expect(error.param).toContain('properties.a');
    const format = { type: 'json_schema', name: 's', strict: true, schema };
    expect((await refused({ type: 'generate', request: { input: 'x', text: { format } } })).param).toContain(
      'request.text.format.schema.properties.a',
    );
    expect((await refused({ input: 'x', background: true, text: { format } }, '/v1/responses')).param).toContain(
      'text.format.schema.properties.a',
    );
  });
  it('wrong types', async () => {
    expect(await refused({ ...generate, priority: 'high' })).toMatchObject({ status: 400, param: 'priority' });
    expect(await refused({ ...generate, priority: 10 })).toMatchObject({ status: 400, param: 'priority' });
    expect(await refused({ type: 'generate', request: { input: 5 } })).toMatchObject({
      status: 400,
      param: 'request.input',
    });
    expect(await refused({ type: 'generate', request: { input: 'x', temperature: 'hot' } })).toMatchObject({
      param: 'request.temperature',
    });
    expect(await refused({ ...generate, deadline: 'tomorrow' })).toMatchObject({ param: 'deadline' });
    expect(await refused({ ...generate, deadline: '2001-01-01T00:00:00Z' })).toMatchObject({ param: 'deadline' });
    expect(await refused({ ...generate, metadata: { a: 1 } })).toMatchObject({ param: 'metadata.a' });
    expect(await refused([])).toMatchObject({ status: 400 });
    expect(await refused('null')).toMatchObject({ status: 400 });
  });
  it('wrong names, with the right one', async () => {
    const error = await refused({ type: 'generate', request: { messages: [] } });
    expect(error).toMatchObject({ param: 'request.messages', code: 'unknown_parameter' });
    expect(error.message).toContain("'input'");
  });
  it('wrong headers of /v1/responses', async () => {
    const body = { input: 'x', background: true };
    expect(await refused(body, '/v1/responses', { 'millrace-priority': '11' })).toMatchObject({
      param: 'Millrace-Priority',
    });
    expect(await refused(body, '/v1/responses', { 'millrace-delay': 'soon' })).toMatchObject({
      param: 'Millrace-Delay',
    });
    expect(await refused(body, '/v1/responses', { 'millrace-queue': 'nope' })).toMatchObject({
      param: 'Millrace-Queue',
    });
    expect(await refused(body, '/v1/responses', { 'millrace-deadline': 'x' })).toMatchObject({
      param: 'Millrace-Deadline',
    });
  });
  it('another content type', async () => {
    expect(await refused('a=b', '/v1/jobs', { 'content-type': 'application/x-www-form-urlencoded' })).toMatchObject({
      code: 'unsupported_media_type',
    });
  });
  it('bytes that are no UTF-8', async () => {
    const response = await fetch(`${api.url}/v1/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: Buffer.concat([
        Buffer.from('{"type":"generate","request":{"input":"'),
        Buffer.from([0xff, 0xfe]),
        Buffer.from('"}}'),
      ]),
    });
    expect(response.status).toBe(400);
    expect(((await response.json()) as ErrorReply).error.code).toBe('bad_encoding');
  });
});

describe('what does not exist is a 404, whatever is asked of it', () => {
  const unknown = [
    `resp_${'0'.repeat(48)}`,
    'resp_x',
    'x'.repeat(5000),
    '%00',
    '..%2f..',
    `resp_${createHash('sha256').update('generate').digest('hex').slice(0, 8)}${'0'.repeat(40)}`,
  ];
  it.each(unknown)('%.60s', async (id) => {
    for (const [method, path] of [
      ['GET', `/v1/jobs/${id}`],
      ['POST', `/v1/jobs/${id}/cancel`],
      ['POST', `/v1/jobs/${id}/retry`],
      ['GET', `/v1/responses/${id}`],
      ['DELETE', `/v1/responses/${id}`],
    ] as const) {
      const reply = await call<ErrorReply>(method, `${api.url}${path}`);
      expect([reply.status, reply.body.error.type]).toEqual([404, 'invalid_request_error']);
    }
  });
  it('a path', async () => {
    expect((await call<ErrorReply>('GET', `${api.url}/v1/nothing`)).body.error.code).toBe('unknown_url');
    expect((await call<ErrorReply>('GET', `${api.url}/v1/jobs/%E0%A4%A`)).status).toBe(400);
  });
  it('a queue', async () => {
    expect((await call('POST', `${api.url}/v1/queues/nope/pause`)).status).toBe(404);
    expect((await call('GET', `${api.url}/v1/jobs?queue=nope`)).status).toBe(404);
  });
});

it('a listing refuses a limit, status or repeated parameter it does not know', async () => {
  for (const query of ['limit=0', 'limit=101', 'limit=x', 'status=done', 'status=queued&status=failed']) {
    expect((await call('GET', `${api.url}/v1/jobs?${query}`)).status, query).toBe(400);
  }
});

it('a full queue sheds with 429 and Retry-After, and takes jobs again when there is room', async () => {
  const job = { type: 'generate', queue: 'tiny', request: { input: 'x' } };
  const [first] = await submitLines(api.url, [job, job]);
  const shed = await call<ErrorReply>('POST', `${api.url}/v1/jobs`, job);
  expect([shed.status, shed.body.error.code]).toEqual([429, 'queue_full']);
  expect(Number(shed.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await submitLines(api.url, [job]))[0]?.error?.code).toBe('queue_full');
  await call('POST', `${api.url}/v1/jobs/${first?.id}/cancel`);
  expect((await call('POST', `${api.url}/v1/jobs`, job)).status).toBe(202);
});

it('500 clients that dribble their requests keep nobody else waiting', async () => {
  const { hostname, port } = new URL(api.url);
  const head = `POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n`;
  const slow = Array.from({ length: 500 }, (_, i) => {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    // Half of them never come to the end of their headers, half to that of their body.
    socket.write(i % 2 === 0 ? head : `${head}Content-Length: 1000\r\n\r\n{`);
    return socket;
  });
  const dribble = setInterval(() => {
    for (const [i, socket] of slow.entries()) socket.write(i % 2 === 0 ? 'X-A: b\r\n' : ' ');
  }, 50);
  try {
    await eventually('all are connected', () => slow.every((socket) => socket.readyState === 'open'));
    for (let i = 0; i < 100; i++) {
      expect((await call('GET', `${api.url}/v1/jobs?limit=1`)).status).toBe(200);
    }
  } finally {
    clearInterval(dribble);
    for (const socket of slow) socket.destroy();
  }
});

/** Sends `bytes` of spaces; answers the status and the error code that came back. */
function hugeBody(bytes: number, announced: boolean): Promise<{ status: number; code: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${api.url}/v1/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(announced ? { 'content-length': bytes } : {}) },
    });
    request.on('error', reject);
    request.on('response', async (response) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      resolve({ status: response.statusCode ?? 0, code: (JSON.parse(text) as ErrorReply).error.code ?? '' });
    });
    const piece = Buffer.alloc(1024 * 1024, 32);
    let left = bytes;
    const send = (): void => {
      while (left > 0) {
        left -= piece.length;
        if (!request.write(piece)) {
          request.once('drain', send);
          return;
        }
      }
      request.end();
    };
    send();
  });
}
