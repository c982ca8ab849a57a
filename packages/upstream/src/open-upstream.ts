/** One configured upstream: owns its connections and the SDK client over them, and gives both up on close. */
import { type Outcome, type ResponsesBody, StartError, type UpstreamConfig } from '@millrace/core';
import Pool from 'undici/lib/dispatcher/pool.js';
import { type BackgroundKnown, backgroundUse } from './background-use.ts';
import { type CallRequest, makeCall } from './call.ts';
import { type CancelResult, cancelResponse } from './cancel-response.ts';
import { firstModel } from './first-model.ts';
import { LeanClient } from './lean-client.ts';
import { leanFetch } from './lean-fetch.ts';
import type { Line } from './line.ts';
import { type ReattachRequest, reattach } from './reattach.ts';

export interface Upstream {
  /** One call. Never throws: everything that can happen is an Outcome. */
  call(request: CallRequest): Promise<Outcome>;
  /**
   * Carries on with a response that a call began in the background: reads its stream on after `startingAfter`, or asks
   * until it has ended. Never throws; the Outcome is the one the call would have had. A retry without `reattach` is
   * to be called again; one with it, to be re-attached to again.
   */
  reattach(request: ReattachRequest): Promise<Outcome>;
  /** Cancels a background response, trying for at most `boundMs` milliseconds. Never throws. */
  cancelResponse(upstreamId: string, boundMs: number): Promise<CancelResult>;
  /** Whether the upstream makes responses in the background, as far as it is known. */
  background(): BackgroundKnown;
  /** Whether a call with this body and a `background` listener would be made in the background if it began now. */
  shouldUseBackground(body: ResponsesBody): boolean;
  /** Takes over what another process has found out; `unknown` has it asked again. */
  adoptBackground(known: BackgroundKnown): void;
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
  /**
   * Hears of faults in Millrace itself, for the log: the call that met one ends as `internal`, except where it was only
   * `onStarted` that failed. Must not throw.
   */
  onFault?: (error: unknown) => void;
  /** Hears each time a call finds out something new of the upstream's background mode. Must not throw. */
  onBackground?: (known: 'yes' | 'no') => void;
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
  const background = backgroundUse(config.background, options.onBackground ?? (() => undefined));
  const line: Line = { client, models, background, idleMs, onFault: options.onFault ?? (() => undefined) };
  return {
    call: (request) => makeCall(line, request),
    reattach: (request) => reattach(line, request),
    cancelResponse: (upstreamId, boundMs) => cancelResponse(line, upstreamId, boundMs),
    background: background.known,
    shouldUseBackground: background.shouldUse,
    adoptBackground: background.adopt,
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
