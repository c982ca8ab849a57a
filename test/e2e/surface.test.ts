/** What OpenAI's SDK finds at our base URL besides jobs: what lives upstream, models, input items, and our limit's headers. */

import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { call } from '../harness/http.ts';
import { startRole } from '../harness/processes.ts';
import { type Stack, startStack } from '../harness/stack.ts';

interface Seen {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
}

let server: Server;
let stack: Stack;
let client: OpenAI;
let seen: Seen[] = [];
/** What the upstream answers. */
let answer: { status: number; body: unknown } = { status: 200, body: {} };

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = '';
    try {
      for await (const piece of request) body += (piece as Buffer).toString('latin1');
    } catch {
      // What was too large is cut off on its way.
      return;
    }
    seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
    const listed = request.url?.startsWith('/v1/models') && request.method === 'GET';
    const said = listed
      ? { object: 'list', data: [{ id: 'up-1', object: 'model', created: 5, owned_by: 'up' }] }
      : answer.body;
    response
      .writeHead(listed ? 200 : answer.status, {
        'content-type': 'application/json',
        'x-request-id': 'req_up',
        'set-cookie': 'a=b',
      })
      .end(JSON.stringify(said));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  stack = await startStack({
    workers: 0,
    config: {
      upstreams: { up: { baseURL, apiKey: 'sk-upstream', background: 'off' } },
      limits: { main: { requestsPerMinute: 600, tokensPerMinute: 60_000, models: ['m-1', 'm-2'] } },
      queues: { generate: { model: 'm-1' } },
      passThrough: { maxBytes: 1_000_000 },
    },
    env: { MILLRACE_API_KEYS: 'ops:operator:secret-1,eyes:viewer:secret-2' },
  });
  client = new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: 'secret-1', maxRetries: 0 });
}, 60_000);
beforeEach(() => {
  seen = [];
  answer = { status: 200, body: {} };
});
afterAll(async () => {
  await stack?.stop();
  server?.closeAllConnections();
  server?.close();
});

describe('what lives upstream', () => {
  it('is reached by the SDK with our key, and the upstream’s in its place', async () => {
    answer.body = { id: 'conv_1', object: 'conversation', metadata: { a: 'b' }, created_at: 1 };
    expect(await client.conversations.create({ metadata: { a: 'b' } })).toMatchObject({ id: 'conv_1' });
    expect(await client.conversations.retrieve('conv_1')).toMatchObject({ id: 'conv_1' });
    answer.body = { object: 'list', data: [{ id: 'vs_1' }], has_more: false };
    expect((await client.vectorStores.list({ limit: 2 })).data).toMatchObject([{ id: 'vs_1' }]);
    answer.body = { object: 'response.input_tokens', input_tokens: 7 };
    expect(await client.responses.inputTokens.count({ model: 'm-1', input: 'hi' })).toMatchObject({ input_tokens: 7 });
    expect(seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      ...['POST /v1/conversations', 'GET /v1/conversations/conv_1', 'GET /v1/vector_stores?limit=2'],
      'POST /v1/responses/input_tokens',
    ]);
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({ metadata: { a: 'b' } });
    for (const { headers } of seen) {
      expect(headers.authorization).toBe('Bearer sk-upstream');
      expect(JSON.stringify(headers)).not.toContain('secret-1');
    }
  });

  it('answers with its own status and words, and sets no cookie here', async () => {
    answer = {
      status: 404,
      body: { error: { message: 'No such conversation', type: 'invalid_request_error', code: 'x' } },
    };
    await expect(client.conversations.retrieve('conv_2')).rejects.toMatchObject({ status: 404, code: 'x' });
    const reply = await fetch(`${stack.api.url}/v1/conversations/c`, { headers: { authorization: 'Bearer secret-1' } });
    expect(reply.headers.get('x-request-id')).toBe('req_up');
    expect(reply.headers.get('set-cookie')).toBeNull();
  });

  it('is closed to who has no key, and a viewer only reads', async () => {
    const as = async (key: string, method: string): Promise<number> =>
      (
        await fetch(`${stack.api.url}/v1/conversations`, {
          method,
          headers: { authorization: `Bearer ${key}` },
          ...(method === 'POST' ? { body: '{}' } : {}),
        })
      ).status;
    expect([await as('wrong', 'GET'), await as('secret-2', 'POST'), await as('secret-2', 'GET')]).toEqual([
      401, 403, 200,
    ]);
    expect(seen).toHaveLength(1);
  });

  it('is bounded, and no path leads out of it', async () => {
    const headers = { authorization: 'Bearer secret-1', 'content-type': 'application/json' };
    const large = await fetch(`${stack.api.url}/v1/conversations`, {
      method: 'POST',
      headers,
      body: 'x'.repeat(1_000_001),
    });
    expect(large.status).toBe(413);
    const chunked = await fetch(`${stack.api.url}/v1/conversations`, {
      ...{ method: 'POST', headers, duplex: 'half' },
      body: new ReadableStream({
        start: (controller) => {
          for (let i = 0; i < 30; i++) controller.enqueue(new TextEncoder().encode('x'.repeat(50_000)));
          controller.close();
        },
      }),
    } as RequestInit);
    expect(chunked.status).toBe(413);
    for (const path of ['%2e%2e%2fadmin', 'a%2fb', 'a%5cb', 'a//b', '%00']) {
      const reply = await fetch(`${stack.api.url}/v1/conversations/${path}`, { headers });
      expect(reply.status, path).toBe(400);
    }
    expect(seen.filter(({ method }) => method === 'GET')).toEqual([]);
  });

  it('that cannot be reached is an error in OpenAI’s shape', async () => {
    const away = await startRole('api', {
      ...stack.env,
      MILLRACE_CONFIG: '',
      OPENAI_BASE_URL: 'http://127.0.0.1:9/v1',
    });
    try {
      const lost = new OpenAI({ baseURL: `${away.url}/v1`, apiKey: 'secret-1', maxRetries: 0 });
      await expect(lost.conversations.retrieve('c')).rejects.toMatchObject({
        status: 503,
        code: 'upstream_unreachable',
      });
    } finally {
      await away.stop();
    }
  });

  it('keeps files of other purposes, whichever field comes first', async () => {
    answer.body = { id: 'file-up', object: 'file', purpose: 'user_data' };
    const bytes = Buffer.from('%PDF-1.7 ünï "quoted"\r\n--x--');
    for (const order of ['file first', 'purpose first']) {
      const file = await toFile(bytes, 'näme "x".pdf', { type: 'application/pdf' });
      const params =
        order === 'file first' ? { file, purpose: 'user_data' as const } : { purpose: 'user_data' as const, file };
      expect(await client.files.create(params)).toMatchObject({ id: 'file-up' });
    }
    expect(seen).toHaveLength(2);
    for (const { url, headers, body } of seen) {
      expect(url).toBe('/v1/files');
      expect(headers['content-length']).toBe(String(body.length));
      const boundary = /boundary=(.+)$/.exec(headers['content-type'] ?? '')?.[1] as string;
      const form = await new Response(Buffer.from(body, 'latin1'), {
        headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
      }).formData();
      expect(form.get('purpose')).toBe('user_data');
      const sent = form.get('file') as File;
      expect(Buffer.from(await sent.arrayBuffer()).equals(bytes)).toBe(true);
      expect(sent.type).toBe('application/pdf');
      expect(sent.name).toBe('näme "x".pdf');
    }
    seen = [];
    await client.files.retrieve('file-up');
    await client.files.delete('file-up');
    await client.files.list({ purpose: 'user_data' });
    expect(seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      ...['GET /v1/files/file-up', 'DELETE /v1/files/file-up', 'GET /v1/files?purpose=user_data'],
    ]);
  });
});

describe('models', () => {
  it('are those of the configuration and of the upstream', async () => {
    const ids: string[] = [];
    for await (const model of client.models.list()) ids.push(model.id);
    expect(ids.sort()).toEqual(['m-1', 'm-2', 'up-1']);
    expect(await client.models.retrieve('up-1')).toMatchObject({ id: 'up-1', created: 5 });
    await expect(client.models.retrieve('none')).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
  });
});

describe('input items', () => {
  it('are what the response was asked, each with an id that stays', async () => {
    const { id } = await client.responses.create({
      model: 'm-1',
      background: true,
      input: [
        { role: 'system', content: 'be kind' },
        { role: 'user', content: [{ type: 'input_text', text: 'hello' }] },
        { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
        { type: 'function_call_output', call_id: 'c', output: 'x' },
      ],
    });
    const all: { id: string; type: string }[] = [];
    for await (const item of client.responses.inputItems.list(id, { order: 'asc', limit: 2 })) all.push(item as never);
    expect(all).toMatchObject([
      { type: 'message', role: 'system', status: 'completed', content: [{ type: 'input_text', text: 'be kind' }] },
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hello' }] },
      { type: 'function_call', call_id: 'c', name: 'f' },
      { type: 'function_call_output', output: 'x' },
    ]);
    expect(new Set(all.map((item) => item.id)).size).toBe(4);
    const newest = await client.responses.inputItems.list(id, { limit: 1 });
    expect(newest.data).toEqual([all[3]]);
    const text = await client.responses.create({ model: 'm-1', background: true, input: 'plain' });
    expect((await client.responses.inputItems.list(text.id)).data).toMatchObject([
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'plain' }] },
    ]);
    for (const query of ['limit=0', 'limit=101', 'order=up', 'after=none']) {
      const reply = await fetch(`${stack.api.url}/v1/responses/${id}/input_items?${query}`, {
        headers: { authorization: 'Bearer secret-1' },
      });
      expect(reply.status, query).toBe(400);
    }
    await expect(client.responses.inputItems.list(`resp_${'0'.repeat(48)}`)).rejects.toMatchObject({ status: 404 });
  });
});

it('answers tell how much of our own limit is left, in OpenAI’s headers', async () => {
  const { response } = await client.responses.create({ model: 'm-2', input: 'x', background: true }).withResponse();
  expect(response.headers.get('x-ratelimit-limit-requests')).toBe('600');
  expect(Number(response.headers.get('x-ratelimit-remaining-requests'))).toBeLessThanOrEqual(600);
  expect(response.headers.get('x-ratelimit-limit-tokens')).toBe('60000');
  expect(response.headers.get('x-ratelimit-reset-requests')).toMatch(/^\d+(\.\d+)?(ms|s)$/);
  expect(response.headers.get('x-request-id')).toMatch(/^req_/);
  expect((await call('GET', `${stack.api.url}/healthz`)).status).toBe(200);
});
