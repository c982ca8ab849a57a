import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createLog } from '@millrace/core';
import express from 'express';
import { afterEach, expect, it } from 'vitest';
import { eventually } from '../../../test/harness/eventually.ts';
import { type Live, openLive, polled, type Source } from './live.ts';
import { errorHandler } from './respond.ts';

type SourceOf = Parameters<typeof openLive>[0];
type Bounds = Parameters<typeof openLive>[2];

let live: Live;
let server: Server;
const pages: Page[] = [];
afterEach(async () => {
  for (const page of pages.splice(0)) page.leave();
  live.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function serve(sourceOf: SourceOf, bounds: Bounds = {}): Promise<void> {
  live = openLive(sourceOf, 'v1', bounds);
  const app = express();
  app.get('/', (request, response) => live.watch(request, response));
  app.use(errorHandler(createLog('test', 'silent')));
  server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
}

interface Page {
  said(): string;
  socket: Socket;
  leave(): void;
}

function open(topics: string): Page {
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  let said = '';
  socket.setEncoding('utf8').on('data', (data: string) => {
    said += data;
  });
  socket.on('error', () => undefined);
  socket.write(`GET /?topics=${topics} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
  const page = { said: () => said, socket, leave: () => socket.destroy() };
  pages.push(page);
  return page;
}

const says = (page: Page, text: string): Promise<unknown> =>
  eventually(`it says ${text}`, () => page.said().includes(text));

/** A source whose values the test tells. */
function hand(): { source: Source; tell: (value: object) => void; begun: () => number; running: () => number } {
  let [begun, running] = [0, 0];
  let told: (value: object) => void = () => undefined;
  const source: Source = (tell) => {
    begun++;
    running++;
    told = tell;
    return () => running--;
  };
  return { source, tell: (value) => told(value), begun: () => begun, running: () => running };
}

it('a topic is read once for all, tells what changed, and ends when the last one has left', async () => {
  const topic = hand();
  await serve(async (name) => (name === 'jobs' ? topic.source : null));
  const first = open('jobs');
  await says(first, 'event: version');
  topic.tell({ waiting: 1, done: 5 });
  await says(first, 'event: jobs\ndata: {"waiting":1,"done":5}');
  const second = open('jobs');
  await says(second, 'data: {"waiting":1,"done":5}');
  topic.tell({ waiting: 1, done: 6 });
  await says(first, 'data: {"done":6}');
  await says(second, 'data: {"done":6}');
  expect([topic.begun(), topic.running()]).toEqual([1, 1]);
  first.leave();
  await eventually('one is left', () => live.count() === 1);
  expect(topic.running()).toBe(1);
  second.leave();
  await eventually('nobody reads it', () => topic.running() === 0);
});

it('an unknown topic, none or too many are refused, and open nothing', async () => {
  await serve(async (name) => (name.startsWith('t') ? hand().source : null));
  const many = Array.from({ length: 9 }, (_, n) => `t${n}`).join(',');
  for (const topics of ['nothing', '', many]) await says(open(topics), '400 Bad Request');
  expect(live.count()).toBe(0);
});

it('the bounds hold for those who come while another is looked up', async () => {
  const gate = Promise.withResolvers<Source>();
  let asked = 0;
  await serve(
    () => {
      asked++;
      return gate.promise;
    },
    { maxViewers: 2 },
  );
  const all = ['a', 'a', 'a', 'a'].map(open);
  await eventually('all are looked up', () => asked === 4);
  gate.resolve(hand().source);
  await eventually('all are answered', () => all.every((page) => page.said().includes('HTTP/1.1')));
  expect(all.filter((page) => page.said().includes('200 OK'))).toHaveLength(2);
  expect(all.filter((page) => page.said().includes('too_many_viewers'))).toHaveLength(2);
});

it('more different topics than the bound are refused; what is open already may be watched by more', async () => {
  await serve(async () => hand().source, { maxTopics: 2 });
  await says(open('a,b'), 'event: version');
  await says(open('c'), 'too_many_topics');
  await says(open('b'), 'event: version');
});

it('a page to which nothing happens hears that it is still connected', async () => {
  await serve(async () => hand().source, { quietMs: 20 });
  await says(open('a'), ': still here\n\n');
});

it('one that does not read is dropped', async () => {
  const topic = hand();
  await serve(async () => topic.source, { maxBufferBytes: 1000 });
  const page = open('a');
  await says(page, 'event: version');
  page.socket.pause();
  let n = 0;
  await eventually('it is dropped', () => {
    topic.tell({ much: `${n++}${'x'.repeat(100_000)}` });
    return live.count() === 0;
  });
  expect(topic.running()).toBe(0);
});

it('a row of failures is told once, and the next one again', async () => {
  const errors: string[] = [];
  let reads = 0;
  const failing = new Set([2, 3, 4, 6]);
  const source = polled(
    async () => {
      reads++;
      if (failing.has(reads)) throw new Error(`of read ${reads}`);
      return { reads };
    },
    1,
    (error) => errors.push((error as Error).message),
  );
  const stop = source(() => undefined);
  await eventually('it goes on', () => reads >= 8);
  stop();
  expect(errors).toEqual(['of read 2', 'of read 6']);
});
