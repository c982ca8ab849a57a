/** For tests only: a TCP server that answers each HTTP request by hand, down to the byte and the reset. */
import { createServer, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** One request as it came over the wire. */
export interface Received {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string;
}

export type Behaviour = (socket: Socket, request: Received) => void;

export interface MisbehavingServer {
  baseURL: string;
  port: number;
  requests: Received[];
  /** Sockets that are open now. */
  open(): number;
  /** How the next requests are answered. */
  behave(behaviour: Behaviour): void;
  close(): Promise<void>;
}

/** @param onConnect is given each socket before any request came over it. */
export async function misbehavingServer(
  first: Behaviour = () => undefined,
  onConnect: (socket: Socket) => void = () => undefined,
): Promise<MisbehavingServer> {
  const sockets = new Set<Socket>();
  const requests: Received[] = [];
  let behaviour = first;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // Being reset is what this server is for.
    socket.on('error', () => socket.destroy());
    onConnect(socket);
    readRequests(socket, (request) => {
      requests.push(request);
      behaviour(socket, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    baseURL: `http://127.0.0.1:${port}/v1`,
    port,
    requests,
    open: () => sockets.size,
    behave: (next) => {
      behaviour = next;
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function readRequests(socket: Socket, onRequest: (request: Received) => void): void {
  let buffered = '';
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    buffered += chunk;
    for (;;) {
      const headEnd = buffered.indexOf('\r\n\r\n');
      if (headEnd === -1) return;
      const [line = '', ...fields] = buffered.slice(0, headEnd).split('\r\n');
      const headers: Record<string, string> = {};
      for (const field of fields) {
        const colon = field.indexOf(':');
        headers[field.slice(0, colon).toLowerCase()] = field.slice(colon + 1).trim();
      }
      const bodyEnd = headEnd + 4 + Number(headers['content-length'] ?? 0);
      if (buffered.length < bodyEnd) return;
      const body = Buffer.from(buffered.slice(headEnd + 4, bodyEnd), 'latin1').toString();
      buffered = buffered.slice(bodyEnd);
      const [method = '', path = ''] = line.split(' ');
      onRequest({ method, path, headers, body });
    }
  });
}

/** Answers like a well-behaved server. */
export function answer(status: number, body: string | Buffer, headers: Record<string, string> = {}): Behaviour {
  return (socket) => {
    const type = typeof body === 'string' && /^\s*[{["]/.test(body) ? 'application/json' : 'text/plain';
    const all = { 'content-type': type, 'content-length': String(Buffer.byteLength(body)), ...headers };
    socket.write(head(status, all));
    socket.write(body);
  };
}

export function head(status: number, headers: Record<string, string>): string {
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Said\r\n${fields.join('')}\r\n`;
}

/** A streamed answer of these chunks; `end` false leaves it open. */
export function stream(chunks: readonly string[], end = true): Behaviour {
  return (socket) => {
    socket.write(head(200, { 'content-type': 'text/event-stream', 'transfer-encoding': 'chunked' }));
    for (const chunk of chunks) socket.write(`${Buffer.byteLength(chunk).toString(16)}\r\n${chunk}\r\n`);
    if (end) socket.write('0\r\n\r\n');
  };
}

export function event(type: string, data: Record<string, unknown>): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
}

/** A Response as OpenAI sends it. */
export function response(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: 'resp_1',
    object: 'response',
    created_at: 1,
    status: 'completed',
    error: null,
    incomplete_details: null,
    model: 'm',
    output: [said('Hello')],
    usage: {
      input_tokens: 10,
      input_tokens_details: { cached_tokens: 4 },
      output_tokens: 5,
      output_tokens_details: { reasoning_tokens: 1 },
      total_tokens: 15,
    },
    ...fields,
  };
}

export function said(text: string): Record<string, unknown> {
  return { id: 'msg_1', type: 'message', role: 'assistant', content: [{ type: 'output_text', text, annotations: [] }] };
}

/** Waits until `condition` holds, for at most `limitMs`; throws with `what` when it never did. */
export async function until(what: string, condition: () => boolean, limitMs = 5000): Promise<void> {
  for (const end = Date.now() + limitMs; Date.now() < end; await wait(5)) if (condition()) return;
  throw new Error(`never: ${what}`);
}
