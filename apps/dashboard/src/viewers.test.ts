import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterEach, expect, it, vi } from 'vitest';
import { html } from './html.ts';
import { openPoll } from './poll.ts';
import { openViewers, type Viewers, type ViewersOptions } from './viewers.ts';

interface Figures {
  reads: number;
  text: string;
}

interface Served {
  viewers: Viewers;
  server: Server;
  figures: Figures;
  url: string;
}

const open: Served[] = [];

/** A stream of the region `text`, read every millisecond. */
async function serve(options: Partial<Pick<ViewersOptions<string>, 'maxViewers' | 'maxBufferBytes'>> = {}) {
  const figures: Figures = { reads: 0, text: 'first' };
  const poll = openPoll(async () => {
    figures.reads += 1;
    return figures.text;
  }, 1);
  const viewers = openViewers({
    poll,
    regionsOf: (text) => new Map([['text', html`<b>${text}</b>`]]),
    pageVersion: 'v1',
    ...options,
  });
  const app = express();
  app.get('/events', (request, response) => viewers.watch(request, response));
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const served = { viewers, server, figures, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events` };
  open.push(served);
  return served;
}

afterEach(async () => {
  for (const { viewers, server } of open.splice(0)) {
    viewers.close();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
});

async function connect(url: string): Promise<IncomingMessage> {
  const request = get(url, { agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.on('error', () => undefined);
  return response;
}

/** Collects the events of a stream: what each changed. */
function read(response: IncomingMessage): { page: string; regions: Record<string, string> }[] {
  const events: { page: string; regions: Record<string, string> }[] = [];
  let rest = '';
  response.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n\n');
    rest = parts.pop() ?? '';
    for (const part of parts) if (part.startsWith('data: ')) events.push(JSON.parse(part.slice('data: '.length)));
  });
  return events;
}

const texts = (events: readonly { regions: Record<string, string> }[]): string[] =>
  events.map(({ regions }) => regions.text).filter((text) => text !== undefined);

it('a viewer gets everything once, then only what changed, and a sign of life in between', async () => {
  const { figures, url } = await serve();
  const events = read(await connect(url));
  await vi.waitFor(() => expect(events.length).toBeGreaterThan(3));
  expect(events[0]).toMatchObject({ page: 'v1', regions: { text: '<b>first</b>' } });
  figures.text = '<second>';
  await vi.waitFor(() => expect(texts(events)).toEqual(['<b>first</b>', '<b>&lt;second&gt;</b>']));
});

it('one read serves all viewers, and nothing is read when the last has left', async () => {
  const { viewers, figures, url } = await serve();
  const responses = await Promise.all([connect(url), connect(url), connect(url)]);
  const streams = responses.map(read);
  await vi.waitFor(() => expect(Math.min(...streams.map((events) => events.length))).toBeGreaterThan(10));
  expect(figures.reads).toBeLessThanOrEqual(Math.max(...streams.map((events) => events.length)) + 3);
  for (const response of responses) response.destroy();
  await vi.waitFor(() => expect(viewers.count()).toBe(0));
  const before = figures.reads;
  const late = read(await connect(url));
  await vi.waitFor(() => expect(late.length).toBeGreaterThan(0));
  // A read that was under way, and the newcomer's own.
  expect(figures.reads).toBeLessThanOrEqual(before + 1 + late.length);
});

it('a change back is told to a viewer that came in between', async () => {
  const { figures, url } = await serve();
  const early = read(await connect(url));
  await vi.waitFor(() => expect(early.length).toBeGreaterThan(0));
  figures.text = 'between';
  const late = read(await connect(url));
  await vi.waitFor(() => expect(texts(late).at(-1)).toBe('<b>between</b>'));
  figures.text = 'first';
  await vi.waitFor(() => expect(texts(late).at(-1)).toBe('<b>first</b>'));
  await vi.waitFor(() => expect(texts(early).at(-1)).toBe('<b>first</b>'));
});

it('a viewer too many is told to come back, and gets in when another leaves', async () => {
  const { viewers, url } = await serve({ maxViewers: 2 });
  const first = await connect(url);
  await connect(url);
  const refused = await connect(url);
  expect(refused.statusCode).toBe(503);
  expect(refused.headers['retry-after']).toBeDefined();
  refused.resume();
  first.destroy();
  await vi.waitFor(() => expect(viewers.count()).toBe(1));
  expect((await connect(url)).statusCode).toBe(200);
});

it('a viewer that does not read is dropped, the others are served on', async () => {
  const { viewers, figures, url } = await serve({ maxBufferBytes: 64 * 1024 });
  const idle = await connect(url);
  idle.pause();
  const reader = await connect(url);
  const events = read(reader);
  let step = 0;
  const grow = setInterval(() => {
    step += 1;
    figures.text = `${step} ${'x'.repeat(1024 * 1024)}`;
  }, 1);
  try {
    await vi.waitFor(() => expect(viewers.count()).toBe(1), { timeout: 20_000 });
    const seen = events.length;
    await vi.waitFor(() => expect(events.length).toBeGreaterThan(seen), { timeout: 20_000 });
  } finally {
    clearInterval(grow);
  }
});

it('a HEAD request is answered and ends', async () => {
  const { viewers, url } = await serve();
  const response = await fetch(url, { method: 'HEAD' });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  expect(viewers.count()).toBe(0);
});

it('closing ends every stream', async () => {
  const { viewers, url } = await serve();
  const response = await connect(url);
  response.resume();
  viewers.close();
  await once(response, 'end');
});
