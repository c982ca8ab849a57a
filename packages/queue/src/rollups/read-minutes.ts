/** What happened in each minute, kept as rollups (see bounds.ts for how long). Minutes that are over are read once. */
import type { TerminalStatus } from '@millrace/core';
import type { Store, StoreQueue } from '../store.ts';
import { readSpans } from './read-spans.ts';

export interface MinuteFigures {
  /** Minutes since 1970, of Redis's clock. */
  minute: number;
  submitted: number;
  finished: Record<TerminalStatus, number>;
  /** Attempts that ended, by `outcome:reason`. */
  attempts: Record<string, number>;
  /** By model; one that was not named is ''. */
  tokens: Record<string, { input: number; output: number; cached: number }>;
  /** Milliseconds from submission to outcome, of all that finished. */
  jobMs: number;
}

const MINUTE_MS = 60_000;

/**
 * The figures of each minute from `from` to `to`, both included, in order, by queue. What is over is kept in this
 * process: asked again and again, only the present minute is read, in one round trip.
 * @param from minutes since 1970
 */
export function readMinutes(
  store: Store,
  queues: readonly StoreQueue[],
  from: number,
  to: number,
): Promise<Map<string, MinuteFigures[]>> {
  const terms = { kind: 'minute', unitMs: MINUTE_MS, keyOf: ({ keys }: StoreQueue, at: number) => keys.minute(at) };
  return readSpans(store, queues, { ...terms, read: minuteOf }, from, to);
}

const DIRECTIONS = { in: 'input', out: 'output', cached: 'cached' } as const;

function minuteOf(minute: number, fields: Readonly<Record<string, string>>): MinuteFigures {
  const finished = { completed: 0, failed: 0, cancelled: 0, incomplete: 0 };
  const tokens = new Map<string, { input: number; output: number; cached: number }>();
  const figures = { minute, submitted: 0, finished, attempts: {} as Record<string, number>, jobMs: 0 };
  for (const [field, text] of Object.entries(fields)) {
    const at = field.indexOf(':');
    const [kind, name] = at === -1 ? [field, ''] : [field.slice(0, at), field.slice(at + 1)];
    const value = Number(text);
    if (kind === 'submitted') figures.submitted = value;
    else if (kind === 'job_ms') figures.jobMs = value;
    else if (kind === 'attempts') figures.attempts[name] = value;
    else if (kind === 'finished') finished[name as TerminalStatus] = value;
    else if (kind === 'in' || kind === 'out' || kind === 'cached') {
      const of = tokens.get(name) ?? { input: 0, output: 0, cached: 0 };
      of[DIRECTIONS[kind]] = value;
      tokens.set(name, of);
    }
  }
  // Models come from users: `__proto__` is a name like any other.
  return { ...figures, tokens: Object.fromEntries(tokens) };
}
