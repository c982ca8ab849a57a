/** For tests only: one way to misbehave, and what the call is to come to. The row of the table says the rest. */
import type { Socket } from 'node:net';
import type { CallRequest } from '../call.ts';
import { answer, type Behaviour, event, type MisbehavingServer, response } from './misbehaving-server.ts';

export interface Scenario {
  name?: string;
  server: Behaviour;
  onConnect?: (socket: Socket) => void;
  request?: Partial<CallRequest>;
  /** Re-attach to this response instead of calling. */
  reattachTo?: string;
  /** Instead of the server's own. */
  baseURL?: (server: MisbehavingServer) => string;
  idleSeconds?: number;
  connectSeconds?: number;
  code?: string;
  message?: RegExp;
  afterMs?: number;
  /** For rows that say "if sent". */
  billed?: boolean;
  upstreamId?: string;
}

export const ok = (body: Record<string, unknown>): Behaviour => answer(200, JSON.stringify(body));
export const nothing: Behaviour = () => undefined;
export const created = event('response.created', {
  sequence_number: 0,
  response: response({ status: 'in_progress', output: [] }),
});
export const delta = event('response.output_text.delta', { sequence_number: 1, delta: 'Hel' });
