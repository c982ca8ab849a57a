/** For tests only: connections that fail, fall silent, or take too long. */
import { head, stream } from './misbehaving-server.ts';
import { created, delta, nothing, type Scenario } from './scenario.ts';

export const connectionScenarios = {
  unreachable: [
    { name: 'refused', server: nothing, baseURL: () => 'http://127.0.0.1:1/v1', message: /ECONNREFUSED/ },
    {
      name: 'no such host',
      server: nothing,
      baseURL: () => `http://${'a'.repeat(64)}.invalid/v1`,
      message: /No connection/,
    },
    {
      name: 'no TLS',
      server: nothing,
      onConnect: (socket) => socket.end('no\r\n\r\n'),
      baseURL: ({ port }) => `https://127.0.0.1:${port}/v1`,
    },
  ],
  connectTimeout: [
    {
      name: 'a silent TLS port',
      server: nothing,
      baseURL: ({ port }) => `https://127.0.0.1:${port}/v1`,
      connectSeconds: 0.1,
    },
  ],
  connectionLost: [
    { name: 'closed without a word', server: (socket) => socket.end() },
    { name: 'reset', server: (socket) => socket.resetAndDestroy() },
    { name: 'closed in mid-body', server: (socket) => socket.end(`${head(200, { 'content-length': '100' })}{"id":`) },
    {
      name: 'reset in mid-stream',
      server: (socket) => {
        stream([created, delta], false)(socket, { method: '', path: '', headers: {}, body: '' });
        setImmediate(() => socket.resetAndDestroy());
      },
      request: { stream: true },
    },
  ],
  timeout: [
    { name: 'waiting for headers', server: nothing, request: { timeoutMs: 50 }, billed: true, message: /0\.05 s/ },
    {
      name: 'in mid-body',
      server: (socket) => socket.write(`${head(200, { 'content-length': '100' })}{`),
      request: { timeoutMs: 50 },
      billed: true,
    },
    {
      name: 'in mid-stream',
      server: stream([created, delta], false),
      request: { timeoutMs: 50, stream: true },
      billed: true,
      upstreamId: 'resp_1',
    },
    {
      name: 'before there is a connection',
      server: nothing,
      baseURL: ({ port }) => `https://127.0.0.1:${port}/v1`,
      request: { timeoutMs: 50 },
      billed: false,
    },
  ],
  stalled: [
    {
      name: 'a plain body',
      server: (socket) => socket.write(`${head(200, { 'content-length': '100' })}{`),
      idleSeconds: 0.05,
      message: /silent for more than 0\.05 s/,
    },
    { name: 'a stream before its headers', server: nothing, request: { stream: true }, idleSeconds: 0.05 },
    {
      name: 'a stream after some events',
      server: stream([created, delta], false),
      request: { stream: true },
      idleSeconds: 0.05,
      upstreamId: 'resp_1',
    },
  ],
} satisfies Record<string, Scenario[]>;
