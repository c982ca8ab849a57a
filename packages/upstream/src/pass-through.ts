/**
 * Passes a request on to the upstream as it is, and the answer back: streamed both ways, with the upstream's key in place
 * of the caller's, to no other host and no other path than was asked for. Loaded by whoever passes on, not by workers.
 */
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { UpstreamConfig } from '@millrace/core';
import { type Dispatcher, Pool } from 'undici';

export interface Passed {
  method: string;
  /** Below the upstream's base URL: `/conversations?limit=2`. */
  path: string;
  headers: IncomingHttpHeaders;
  body: AsyncIterable<Uint8Array> | null;
  /** Ends it: the caller is gone. */
  signal: AbortSignal;
}

export interface PassThrough {
  /** @throws an error of the connection, where no answer has begun */
  forward(request: Passed, response: ServerResponse): Promise<void>;
  /**
   * What `GET <path>` answers.
   * @throws Error where it is not answered well within so many milliseconds
   */
  read(path: string, timeoutMs: number): Promise<unknown>;
  close(): Promise<void>;
}

/** Of one connection only (RFC 9110, 7.6.1), or between us and one side. */
const NOT_PASSED: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'te', 'trailer'],
  ...['transfer-encoding', 'upgrade', 'host', 'expect', 'authorization', 'cookie', 'set-cookie', 'forwarded'],
]);
const NOT_SENT = /^(millrace-|x-forwarded-|x-real-ip$|idempotency-key$)/;
const READ_BYTES = 4 * 1024 * 1024;

export function openPassThrough(config: UpstreamConfig, timeoutMs: number): PassThrough {
  const { origin, pathname } = new URL(config.baseURL);
  const base = pathname.replace(/\/$/, '');
  const pool = new Pool(origin, {
    connections: null,
    allowH2: false,
    connectTimeout: config.connectSeconds * 1000,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  });
  const key: Record<string, string> = config.apiKey === undefined ? {} : { authorization: `Bearer ${config.apiKey}` };
  return {
    forward: async ({ method, path, headers, body, signal }, response) => {
      const sent: Record<string, string | string[]> = {};
      for (const [name, value] of Object.entries(headers)) {
        if (value !== undefined && !NOT_PASSED.has(name) && !NOT_SENT.test(name)) sent[name] = value;
      }
      const answer = await pool.request({
        ...{ method: method as Dispatcher.HttpMethod, path: base + path, headers: { ...sent, ...key }, signal },
        body: body === null ? null : Readable.from(body),
      });
      for (const [name, value] of Object.entries(answer.headers)) {
        if (value !== undefined && !NOT_PASSED.has(name)) response.setHeader(name, value);
      }
      response.statusCode = answer.statusCode;
      await pipeline(answer.body, response);
    },
    read: async (path, readMs) => {
      const signal = AbortSignal.timeout(readMs);
      const { statusCode, body } = await pool.request({ method: 'GET', path: base + path, headers: key, signal });
      let text = '';
      for await (const piece of body) {
        text += piece;
        if (text.length > READ_BYTES) throw new Error('the answer is too large');
      }
      if (statusCode !== 200) throw new Error(`answered ${statusCode}`);
      return JSON.parse(text);
    },
    close: () => pool.destroy(),
  };
}
