/** For tests only: one call in the background over a server whose routes are answered by hand. */
import type { Outcome } from '@millrace/core';
import type { Started } from '../background-response.ts';
import type { CallRequest } from '../call.ts';
import type { Upstream } from '../open-upstream.ts';
import { type Route, type Routes, routeOf, routes } from './background-server.ts';
import type { MisbehavingServer } from './misbehaving-server.ts';
import { open } from './open.ts';

export interface Ran {
  outcome: Outcome;
  /** What the listener was told. */
  started: Started[];
  /** What the server was asked, in order. */
  asked: Route[];
  server: MisbehavingServer;
  upstream: Upstream;
}

export async function run(given: Routes, request: Partial<CallRequest> = {}): Promise<Ran> {
  const started: Started[] = [];
  const { call, server, upstream } = await open(routes(given), { background: 'on' });
  const background = { onStarted: (response: Started) => void started.push(response) };
  const outcome = await call({ background, ...request });
  return { outcome, started, server, upstream, asked: server.requests.map(routeOf) };
}
