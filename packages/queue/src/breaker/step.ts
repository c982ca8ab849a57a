/** The breaker's one script: every change of what the fleet knows of an upstream is a step. */
import type { Redis } from 'ioredis';
import type { BreakerKeys } from '../keys.ts';
import { runScript } from '../scripts.ts';

/** `closed`: calls start. `open`: none does, but probes. `half_open`: they come back, a few more with each success. */
export type BreakerState = 'closed' | 'open' | 'half_open';

/** What is known of a breaker. */
export interface Known {
  state: BreakerState;
  /** By Redis's clock, ms; of two reports the later one is true. */
  since: number;
  /** When it opened last (ms), which names the outage; 0 when it never has. */
  opening: number;
}

export interface StepReply extends Known {
  mayStart: boolean;
  /** Where it may not: how soon it is worth asking again. */
  inMs: number;
}

/**
 * Tells how calls ended that began after `opening`, oldest first, a character each (see tally.ts); with `ask`, the reply
 * says whether a call may start, which then counts as started.
 * @throws ReplyError, or a connection error
 */
export async function step(
  redis: Redis,
  keys: BreakerKeys,
  opening: number,
  results: string,
  ask: boolean,
): Promise<StepReply> {
  const reply = await runScript(redis, 'breaker-step', [keys.breaker], [keys.turned, opening, results, ask ? 1 : 0]);
  const [state, since, openedAt, mayStart, inMs] = reply as [BreakerState, number, number, number, number];
  return { state, since, opening: openedAt, mayStart: mayStart === 1, inMs };
}

/** What the script tells on its channel when a breaker turns. */
export function readTurn(message: string): Known {
  const [state, since, opening] = message.split(' ');
  return { state: state as BreakerState, since: Number(since), opening: Number(opening) };
}
