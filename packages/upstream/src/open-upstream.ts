/** One configured upstream: owns its connections and the SDK client over them, and gives both up on close. */
import { type Outcome, StartError, type UpstreamConfig } from '@millrace/core';
import { Pool } from 'undici';
import { type CallRequest, makeCall } from './call.ts';
import { firstModel } from './first-model.ts';
import { LeanClient } from './lean-client.ts';
import { leanFetch } from './lean-fetch.ts';

export interface Upstream {
  /** One call. Never throws: everything that can happen is an Outcome. */
  call(request: CallRequest): Promise<Outcome>;
  /**
   * The upstream's first model (`GET /models`), cached until it is no longer found.
   * @throws NoModelError (rejects); its `outcome` is what that means for a call.
   */
  firstModel(): Promise<string>;
  /** Sockets that are open or waited for, and calls that run. */
  stats(): { connected: number; running: number; pending: number };
  /** Drops every connection at once; calls that still run end as interrupted by a shutdown. May be called twice. */
  close(): Promise<void>;
}

/** What HTTP lets a header carry without quoting. */
const HEADER_SAFE = /^[\x21-\x7e]+$/;

export interface UpstreamOptions {
  /** Hears of faults in Millrace itself, for the log; the call that met one ends as `internal`. Must not throw. */
  onFault?: (error: unknown) => void;
}

/** @throws StartError when the key cannot be sent in a header, such as one that was read with its line break. */
export function openUpstream(config: UpstreamConfig, options: UpstreamOptions = {}): Upstream {
  if (config.apiKey !== undefined && !HEADER_SAFE.test(config.apiKey)) {
    throw new StartError(`The API key of ${config.baseURL} holds a space, a line break or another unusable character.`);
  }
  const pool = new Pool(new URL(config.baseURL).origin, {
    // A connection a call, no more than the calls in flight: their bound is the caller's.
    connections: null,
    pipelining: 1,
    // With HTTP/2 one lost connection would take a hundred paid calls along.
    allowH2: false,
    connectTimeout: milliseconds(config.connectSeconds),
  });
  const client = new LeanClient({ baseURL: config.baseURL, fetch: leanFetch(pool) }, config.apiKey);
  const idleMs = milliseconds(config.idleSeconds);
  const models = firstModel(client, idleMs);
  const line = { client, models, idleMs, onFault: options.onFault ?? (() => undefined) };
  return {
    call: (request) => makeCall(line, request),
    firstModel: () => models.ask(),
    stats: () => {
      const { connected, running, pending } = pool.stats;
      return { connected, running, pending };
    },
    close: async () => {
      await pool.destroy();
    },
  };
}

/** Never 0: to undici that means no limit at all. */
function milliseconds(seconds: number): number {
  return Math.max(1, Math.round(seconds * 1000));
}
