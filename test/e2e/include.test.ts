/** `include` of a response that is retrieved: what its stored answer lacks is asked of the upstream. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Stack, startStack } from '../harness/stack.ts';

const LOGPROBS = 'message.output_text.logprobs' as const;
const response = (logprobs: object[] | undefined) => ({
  ...{ id: 'resp_up', object: 'response', status: 'completed', model: 'm', created_at: 1, usage: null },
  output: [
    {
      ...{ id: 'msg_1', type: 'message', role: 'assistant', status: 'completed' },
      content: [{ type: 'output_text', text: 'yes', annotations: [], ...(logprobs && { logprobs }) }],
    },
  ],
});

let server: Server;
let stack: Stack;
let client: OpenAI;
let retrieved: string[] = [];
/** What the upstream has of it by now. */
let kept: { status: number; body: unknown };

beforeAll(async () => {
  server = createServer((request, reply) => {
    request.resume();
    const created = request.method === 'POST';
    if (!created) retrieved.push(decodeURIComponent(request.url ?? ''));
    const { status, body } = created ? { status: 200, body: response(undefined) } : kept;
    reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  stack = await startStack({
    config: {
      upstreams: { up: { baseURL, apiKey: 'sk-upstream', background: 'off' } },
      queues: { generate: { model: 'm' } },
    },
  });
  client = new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: 'any', maxRetries: 0 });
}, 60_000);
beforeEach(() => {
  retrieved = [];
  kept = { status: 200, body: response([{ token: 'yes', logprob: -0.1, bytes: [], top_logprobs: [] }]) };
});
afterAll(async () => {
  await stack?.stop();
  server?.closeAllConnections();
  server?.close();
});

const logprobsIn = (found: OpenAI.Responses.Response): unknown =>
  found.output.flatMap((item) => (item.type === 'message' ? item.content : []))[0];

it('what was not asked for when it was made is asked of the upstream, under our id', async () => {
  const { id } = await client.responses.create({ input: 'sure?', model: 'm' });
  expect(logprobsIn(await client.responses.retrieve(id))).not.toHaveProperty('logprobs');
  expect(retrieved).toEqual([]);
  const found = await client.responses.retrieve(id, { include: [LOGPROBS] });
  expect(found.id).toBe(id);
  expect(logprobsIn(found)).toMatchObject({ logprobs: [{ token: 'yes' }] });
  expect(retrieved).toEqual([`/v1/responses/resp_up?include[]=${LOGPROBS}`]);
});

it('what was asked for when it was made is in the stored answer: nobody is asked', async () => {
  const { id } = await client.responses.create({ input: 'sure?', model: 'm', include: [LOGPROBS] });
  expect((await client.responses.retrieve(id, { include: [LOGPROBS] })).output_text).toBe('yes');
  expect(retrieved).toEqual([]);
});

it('where the upstream does not have it any more, or has another one, the stored answer is told', async () => {
  const { id } = await client.responses.create({ input: 'sure?', model: 'm' });
  const others = [
    { status: 404, body: { error: { message: 'gone', type: 'invalid_request_error', param: null, code: null } } },
    { status: 200, body: { ...response([]), id: 'resp_other' } },
    { status: 200, body: 'no response' },
    { status: 200, body: null },
  ];
  for (const other of others) {
    kept = other;
    const found = await client.responses.retrieve(id, { include: [LOGPROBS] });
    expect(found.output_text).toBe('yes');
    expect(logprobsIn(found)).not.toHaveProperty('logprobs');
  }
  expect(retrieved).toHaveLength(others.length);
});

it('what names no field is refused, and goes nowhere', async () => {
  const { id } = await client.responses.create({ input: 'sure?', model: 'm' });
  for (const wrong of ['a/b', 'x'.repeat(81), '', '../files']) {
    await expect(client.responses.retrieve(id, { include: [wrong as never] })).rejects.toMatchObject({
      ...{ status: 400, param: 'include' },
    });
  }
  expect(retrieved).toEqual([]);
});
