/** One try at a delivery, against real receivers on loopback: what they get, and what never reaches them. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sendWebhook, type Target } from './send-webhook.ts';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const EVENT = {
  id: `evt_${'1'.repeat(32)}`,
  type: 'response.completed',
  createdAt: 1_800_000_000_123,
  data: { id: 'resp_1' },
};
const LOOPBACK = ['127.0.0.0/8', '::1'];

let server: Server;
let port: number;
let connections = 0;
let received: { headers: IncomingHttpHeaders; body: string }[] = [];
let answer: { status: number; headers?: Record<string, string>; body?: string } = { status: 200 };

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += piece;
    received.push({ headers: request.headers, body });
    response.writeHead(answer.status, answer.headers).end(answer.body ?? '');
  });
  server.on('connection', () => {
    connections += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
beforeEach(() => {
  connections = 0;
  received = [];
  answer = { status: 200 };
});
afterAll(() => {
  server?.closeAllConnections();
  server?.close();
});

const send = (url: string, more: Partial<Target> = {}): Promise<number> =>
  sendWebhook(EVENT, { url, secret: SECRET, allow: LOOPBACK, ...more });

it('is signed so that whoever has the secret can tell', async () => {
  expect(await send(`http://127.0.0.1:${port}/hook?x=1`)).toBe(200);
  const [{ headers, body }] = received as [(typeof received)[0]];
  expect(JSON.parse(body)).toEqual({
    ...{ object: 'event', id: EVENT.id, type: EVENT.type, created_at: 1_800_000_000, data: { id: 'resp_1' } },
  });
  expect(headers['webhook-id']).toBe(EVENT.id);
  expect(() => new Webhook(SECRET).verify(body, headers as Record<string, string>)).not.toThrow();
  const other = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;
  expect(() => new Webhook(other).verify(body, headers as Record<string, string>)).toThrow();
});

it('tells the status that was answered, and follows no redirect', async () => {
  for (const status of [204, 404, 410, 500]) {
    answer = { status };
    expect(await send(`http://127.0.0.1:${port}/`)).toBe(status);
  }
  received = [];
  answer = { status: 302, headers: { location: `http://127.0.0.1:${port}/canary` } };
  expect(await send(`http://127.0.0.1:${port}/`)).toBe(302);
  expect(received).toHaveLength(1);
});

it('reads no more of an answer than it must', async () => {
  answer = { status: 200, body: 'x'.repeat(5_000_000) };
  expect(await send(`http://127.0.0.1:${port}/`)).toBe(200);
});

describe('what is not public', () => {
  it.each([
    ...['http://127.0.0.1:PORT/', 'http://2130706433:PORT/', 'http://0x7f000001:PORT/', 'http://127.1:PORT/'],
    ...['http://[::ffff:127.0.0.1]:PORT/', 'http://[::1]:PORT/', 'http://0.0.0.0:PORT/', 'http://localhost:PORT/'],
    ...['http://169.254.169.254/latest/meta-data/', 'http://user@127.0.0.1:PORT/', 'gopher://127.0.0.1:PORT/'],
  ])('%s is not connected to', async (url) => {
    await expect(send(url.replace('PORT', String(port)), { allow: [] })).rejects.toThrow();
    expect(connections).toBe(0);
  });

  it('is not reached by a name that has one public and one private address', async () => {
    const resolve = async () => [
      { address: '93.184.216.34', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ];
    await expect(send(`http://two.example:${port}/`, { allow: [], resolve })).rejects.toThrow('127.0.0.1');
    expect(connections).toBe(0);
  });

  it('is not reached by a name that turns: it is looked up once, and what was checked is what is called', async () => {
    const answers = ['127.0.0.1', '127.0.0.2', '127.0.0.2'];
    let asked = 0;
    const resolve = async () => [{ address: answers[asked++] as string, family: 4 }];
    // Allowed is the first address only: were the name asked for again, it would lead to another one.
    expect(await send(`http://turning.example:${port}/`, { allow: ['127.0.0.1'], resolve })).toBe(200);
    expect(asked).toBe(1);
    expect(connections).toBe(1);
    expect(received[0]?.headers.host).toBe(`turning.example:${port}`);
    await expect(send(`http://turning.example:${port}/`, { allow: ['127.0.0.1'], resolve })).rejects.toThrow(
      '127.0.0.2',
    );
    expect(connections).toBe(1);
  });
});
