/** One HTTP request and its answer: read whole and bounded, answered with OpenAI's headers. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { RefusedRequest } from '../request/refused.ts';

export interface Exchange {
  req: IncomingMessage;
  res: ServerResponse;
  /** The connection, which `res` forgets once it is done. */
  socket: Socket;
  url: URL;
  requestId: string;
  startedMs: number;
}

/** Twice what the largest context window holds as text; OpenAI's own bound is not published. */
const MAX_REQUEST_BYTES = 32 * 1024 * 1024;
const REQUEST_ID_PREFIX = `req_${randomBytes(8).toString('hex')}`;
const COUNTER_HEX_DIGITS = 16;
let requests = 0;

/** Opens an exchange; its request id is unique within this process. */
export function openExchange(req: IncomingMessage, res: ServerResponse): Exchange {
  requests += 1;
  const requestId = REQUEST_ID_PREFIX + requests.toString(16).padStart(COUNTER_HEX_DIGITS, '0');
  const url = new URL(req.url ?? '/', 'http://simulator.invalid');
  return { req, res, socket: req.socket, url, requestId, startedMs: performance.now() };
}

/** The request's body as text. Throws a RefusedRequest (413, 415); never settles where the client leaves half-way. */
export function readBody({ req }: Exchange): Promise<string> {
  return new Promise((resolve, reject) => {
    const encoding = req.headers['content-encoding'] ?? 'identity';
    const refuse = (error: RefusedRequest) => {
      // What still comes is read and dropped: a client that is writing would not see the answer otherwise.
      req.removeAllListeners('data');
      req.resume();
      reject(error);
    };
    if (encoding !== 'identity') {
      refuse(new RefusedRequest(415, `Unsupported content encoding: '${encoding}'.`));
      return;
    }
    const chunks: Buffer[] = [];
    let bytes = 0;
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes > MAX_REQUEST_BYTES) {
        chunks.length = 0;
        refuse(
          new RefusedRequest(413, `The request is larger than ${MAX_REQUEST_BYTES} bytes.`, {
            code: 'request_too_large',
          }),
        );
      }
    });
    req.on('end', () => {
      const [first] = chunks;
      resolve(chunks.length === 1 && first ? first.toString() : Buffer.concat(chunks).toString());
    });
    req.on('error', () => {
      // The client left while it was writing: there is nobody to answer.
    });
  });
}

/** Sets the headers every answer carries; `openai-processing-ms` is the time since the request came. */
export function setCommonHeaders({ res, requestId, startedMs }: Exchange): void {
  res.setHeader('x-request-id', requestId);
  res.setHeader('openai-processing-ms', Math.round(performance.now() - startedMs));
  res.setHeader('openai-version', '2020-10-01');
}

/** Answers with a text of the given type. */
export function sendText(exchange: Exchange, status: number, type: string, text: string): void {
  const { res } = exchange;
  setCommonHeaders(exchange);
  res.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) });
  res.end(text);
}

/** Answers with JSON. */
export function sendJson(exchange: Exchange, status: number, body: unknown): void {
  sendText(exchange, status, 'application/json', JSON.stringify(body));
}

/** Answers with the error's status and OpenAI's error body. */
export function sendError(exchange: Exchange, error: RefusedRequest): void {
  sendJson(exchange, error.status, error.body);
}

/** Calls `then` once the whole answer has been handed to a connection that was still open. */
export function whenDelivered({ res, socket }: Exchange, then: () => void): void {
  res.once('finish', () => {
    if (!socket.destroyed) then();
  });
}
