import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterEach, expect, it, vi } from 'vitest';
import { html } from './html.ts';
import { type LivePages, openLivePages } from './live-pages.ts';
import { openPoll } from './poll.ts';

let live: LivePages;
let server: Server;
let opened: string[];

/** Any path is a page that shows its path. */
async function serve(maxViewers: number): Promise<string> {
  opened = [];
  live = openLivePages('v1', maxViewers);
  const app = express();
  app.use((request, response, next) => {
    const open = () => {
      opened.push(request.path);
      const regionsOf = (text: string) => new Map([['text', html`${text}`]]);
      return { poll: openPoll(async () => request.path, 1), regionsOf };
    };
    live.watch(request.path, open, request, response).catch(next);
  });
  server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(async () => {
  live.close();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

async function connect(url: string, method = 'GET'): Promise<IncomingMessage> {
  const request = get(url, { agent: false, method });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.on('error', () => undefined);
  return response;
}

it('who watches the same page shares it; a page that was left is opened anew', async () => {
  const url = await serve(10);
  const [first, second, other] = await Promise.all([connect(`${url}/a`), connect(`${url}/a`), connect(`${url}/b`)]);
  const [text] = (await once(other!.setEncoding('utf8'), 'data')) as [string];
  expect(text).not.toContain('/a');
  expect(opened.sort()).toEqual(['/a', '/b']);
  first!.destroy();
  second!.destroy();
  await vi.waitFor(() => expect(live.count()).toBe(1));
  await connect(`${url}/a`);
  expect(opened).toHaveLength(3);
});

it('all pages together have so many places, and who leaves one makes room on any', async () => {
  const url = await serve(2);
  const first = await connect(`${url}/a`);
  await connect(`${url}/b`);
  for (const path of ['/a', '/c']) expect((await connect(`${url}${path}`)).statusCode, path).toBe(503);
  expect((await connect(`${url}/c`, 'HEAD')).statusCode).toBe(503);
  first.destroy();
  await vi.waitFor(() => expect(live.count()).toBe(1));
  expect((await connect(`${url}/c`)).statusCode).toBe(200);
  expect(live.count()).toBe(2);
});

it('once closed, every stream ends and none begins', async () => {
  const url = await serve(2);
  const first = (await connect(`${url}/a`)).resume();
  live.close();
  await once(first, 'end');
  expect((await connect(`${url}/b`)).statusCode).toBe(503);
});
