/** However much an upstream sends, a bounded part of it is ever held, and the connection is dropped at the limit. */
import type { Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { constants, createGzip } from 'node:zlib';
import { expect, test } from 'vitest';
import { BodyText, MAX_ERROR_BYTES, MAX_RESPONSE_BYTES } from './body-text.ts';
import { head, until } from './testing/misbehaving-server.ts';
import { open } from './testing/open.ts';

/** What the kernel and Node buffer between a server that writes and a client that no longer reads. */
const IN_FLIGHT_BYTES = 16 * 1024 * 1024;
const BLOCK = Buffer.alloc(64 * 1024, 'x');

/** Writes for as long as it is read; answers how much that was. */
function flood(socket: Socket, start: string): { sent(): number } {
  let bytes = 0;
  const more = (): void => {
    do bytes += BLOCK.length;
    while (!socket.destroyed && socket.write(BLOCK));
    if (!socket.destroyed) socket.once('drain', more);
  };
  socket.write(start);
  more();
  return { sent: () => bytes };
}

test.each([
  ['a body', 'application/json', ''],
  ['a line of a stream', 'text/event-stream', 'data: '],
  ['an event of many lines', 'text/event-stream', 'event: x\ndata: 1\ndata: '],
])('%s without end is malformed at the limit', async (_, type, start) => {
  let flooding: ReturnType<typeof flood> | null = null;
  const { call, server } = await open((socket) => {
    flooding = flood(socket, head(200, { 'content-type': type }) + start);
  });
  expect(await call({ timeoutMs: 60_000 })).toMatchObject({
    kind: 'retry',
    reason: 'malformed',
    error: { code: 'response_too_large', message: expect.stringContaining('64 MiB') },
    possiblyBilled: true,
  });
  await until('the connection is dropped', () => server.open() === 0);
  const sent = (flooding as ReturnType<typeof flood> | null)?.sent() ?? 0;
  expect(sent).toBeGreaterThan(MAX_RESPONSE_BYTES);
  expect(sent).toBeLessThan(MAX_RESPONSE_BYTES + IN_FLIGHT_BYTES);
});

test('a stream of many small events may be longer than the limit', async () => {
  const block = `: ${'x'.repeat(60)}\n\n`.repeat(1024);
  const { call } = await open((socket) => {
    socket.write(head(200, { 'content-type': 'text/event-stream' }));
    let left = Math.ceil((MAX_RESPONSE_BYTES * 1.2) / block.length);
    const more = (): void => {
      while (left-- > 0) if (!socket.write(block)) return void socket.once('drain', more);
      socket.end('event: error\ndata: {"message":"the end"}\n\n');
    };
    more();
  });
  expect(await call({ stream: true, timeoutMs: 60_000 })).toMatchObject({ error: { message: 'the end' } });
});

test('a compressed bomb is stopped at the limit of what comes out', async () => {
  const { call, server } = await open((socket) => {
    socket.write(head(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }));
    const gzip = createGzip({ level: constants.Z_BEST_SPEED });
    gzip.on('error', () => socket.destroy());
    gzip.pipe(socket);
    const more = (): void => {
      while (!socket.destroyed && gzip.write(BLOCK));
      if (!socket.destroyed) gzip.once('drain', more);
    };
    more();
  });
  expect(await call({ timeoutMs: 60_000 })).toMatchObject({
    reason: 'malformed',
    error: { code: 'response_too_large' },
  });
  await until('the connection is dropped', () => server.open() === 0);
});

test('of an error without end only the beginning is read, and the status decides', async () => {
  let flooding: ReturnType<typeof flood> | null = null;
  const { call, server } = await open((socket) => {
    flooding = flood(socket, head(503, { 'content-type': 'text/plain' }));
  });
  expect(await call({ timeoutMs: 60_000 })).toMatchObject({
    kind: 'retry',
    reason: 'upstream_error',
    error: { upstream_status: 503 },
  });
  await until('the connection is dropped', () => server.open() === 0);
  expect(flooding).not.toBeNull();
});

test('a body keeps no more than twice its bytes, however small the pieces are', () => {
  const body = new BodyText(MAX_ERROR_BYTES, 'cut');
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const held = (): number => {
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const before = held();
  for (let bytes = 0; bytes < 500_000; bytes++) body.push(BLOCK.subarray(0, 1));
  expect(held() - before).toBeLessThan(5 * 1024 * 1024);
  expect(body.text()).toHaveLength(500_000);
  body.push(Buffer.alloc(MAX_ERROR_BYTES, 'y'));
  expect([body.finished, body.text().length]).toEqual([true, MAX_ERROR_BYTES]);
});
