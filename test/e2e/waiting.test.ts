/** A response that is waited for on its connection, whatever becomes of that connection. */
import { once } from 'node:events';
import { connect } from 'node:net';
import OpenAI from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { call } from '../harness/http.ts';
import { startRole } from '../harness/processes.ts';
import { finished, type Stack, startStack } from '../harness/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({});
}, 60_000);
const doomed: Stack[] = [];
afterAll(async () => {
  for (const own of doomed) await own.stop();
  await stack?.stop();
});

const running = ({ api }: Stack): Promise<string> =>
  eventually('the job runs', async () => {
    const url = `${api.url}/v1/jobs?limit=1&status=in_progress`;
    const { body } = await call<{ data: { id: string }[] }>('GET', url);
    return body.data[0]?.id;
  });

it('a client that leaves while it waits does not lose its job', async () => {
  const gone = new AbortController();
  const client = new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: 'any', maxRetries: 0 });
  const waiting = client.responses.create({ model: 'sim-1', input: '[[slow:1500]] leave' }, { signal: gone.signal });
  waiting.catch(() => undefined);
  const id = await running(stack);
  gone.abort();
  await expect(waiting).rejects.toThrow();
  expect((await finished(stack, id)).status).toBe('completed');
});

it.concurrent('an SDK whose API process was killed while it waited gets its answer from the next one, and it is paid once', async () => {
  // One of its own: the others need their API.
  const own = await startStack({});
  doomed.push(own);
  const { port } = new URL(own.api.url);
  const client = new OpenAI({ baseURL: `${own.api.url}/v1`, apiKey: 'any', maxRetries: 8 });
  const waiting = client.responses.create({ model: 'sim-1', input: '[[slow:4000]] once, and no more' });
  waiting.catch(() => undefined);
  const id = await running(own);
  await own.api.kill();
  const next = await startRole('api', { ...own.env, MILLRACE_API_PORT: port });
  own.api = next;
  const response = await waiting;
  expect(response.id).toBe(id);
  expect(response.status).toBe('completed');
  expect(own.simulator.ledger()).toHaveLength(1);
}, 60_000);

it.concurrent('a long wait is kept alive by white space before the answer, which the SDK reads as if it were not there', async () => {
  const client = new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: 'any', maxRetries: 0 });
  const waiting = client.responses.create({ model: 'sim-1', input: '[[slow:31500]] long' });
  const { hostname, port } = new URL(stack.api.url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  const body = JSON.stringify({ model: 'sim-1', input: '[[slow:31500]] seen' });
  socket.write(
    `POST /v1/responses HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  let seen = '';
  socket.on('data', (data) => {
    seen += data;
  });
  await eventually('something is said', () => seen !== '', 40_000);
  expect(seen).toMatch(/^HTTP\/1\.1 200 /);
  expect(seen).toContain('millrace-job-id: resp_');
  expect(seen).not.toContain('"object"');
  await eventually('and then the answer', () => seen.includes('"object":"response"'), 20_000);
  socket.destroy();
  expect((await waiting).status).toBe('completed');
}, 90_000);

it.concurrent('five hundred clients that send a byte now and then keep nobody waiting, and are cut off', async () => {
  const { hostname, port } = new URL(stack.api.url);
  const HEAD =
    'POST /v1/responses HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n';
  const sockets = await Promise.all(
    Array.from({ length: 500 }, async (_, i) => {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      // Half of them trickle their headers, half their body.
      socket.write(i % 2 === 0 ? HEAD.slice(0, 20) : `${HEAD}{"in`);
      return socket;
    }),
  );
  let closed = 0;
  for (const socket of sockets) socket.on('close', () => closed++);
  const trickle = setInterval(() => {
    for (const socket of sockets) if (socket.writable) socket.write('x');
  }, 1000);
  try {
    const took: number[] = [];
    for (let i = 0; i < 200; i++) {
      const began = performance.now();
      const reply = await call('POST', `${stack.api.url}/v1/jobs`, {
        type: 'generate',
        request: { input: `well ${i}` },
      });
      expect(reply.status).toBe(202);
      took.push(performance.now() - began);
    }
    took.sort((a, b) => a - b);
    console.info(`healthy requests beside 500 slow ones: p99 ${Math.round(took[197] as number)} ms`);
    await eventually('all are cut off', () => closed === sockets.length, 60_000);
  } finally {
    clearInterval(trickle);
    for (const socket of sockets) socket.destroy();
  }
}, 90_000);
