/** For tests only: an upstream over a misbehaving server, both closed when the test is over. */
import type { Outcome, UpstreamConfig } from '@millrace/core';
import { onTestFinished } from 'vitest';
import type { CallRequest } from '../call.ts';
import { openUpstream, type Upstream } from '../open-upstream.ts';
import type { ReattachRequest } from '../reattach.ts';
import { type Behaviour, type MisbehavingServer, misbehavingServer } from './misbehaving-server.ts';

export interface Opened {
  upstream: Upstream;
  server: MisbehavingServer;
  call(request?: Partial<CallRequest>): Promise<Outcome>;
  /** To `resp_1`, from its beginning. */
  reattach(request?: Partial<ReattachRequest>): Promise<Outcome>;
}

/** @param finished the test's own onTestFinished, without which a concurrent test is not known */
export async function open(
  behaviour: Behaviour,
  config: Partial<UpstreamConfig> = {},
  finished = onTestFinished,
): Promise<Opened> {
  const server = await misbehavingServer(behaviour);
  const upstream = openUpstream({ ...settings(server.baseURL), ...config });
  finished(async () => {
    await upstream.close();
    await server.close();
  });
  const base = { body: { model: 'm', input: 'x' }, type: 'generate', timeoutMs: 10_000 } as const;
  return {
    upstream,
    server,
    call: (request = {}) => upstream.call({ ...base, signal: new AbortController().signal, ...request }),
    reattach: (request = {}) =>
      upstream.reattach({
        ...base,
        signal: new AbortController().signal,
        upstreamId: 'resp_1',
        startingAfter: null,
        ...request,
      }),
  };
}

export function settings(baseURL: string): UpstreamConfig {
  return { baseURL, background: 'auto', extraFields: [], promptCacheKey: true, connectSeconds: 10, idleSeconds: 10 };
}
