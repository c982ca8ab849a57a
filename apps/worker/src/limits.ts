/**
 * reserve and settle: a job's call has its place under its queue's limit before it is made, and tells the limit after it
 * what it counted for. This process has one line for each model (or group of models) of a limit.
 */
import type { Log, Outcome, QueueConfig } from '@millrace/core';
import {
  type ClosedFor,
  closeLimit,
  type Estimates,
  groupOf,
  type Line,
  openEstimates,
  openLine,
  type Place,
  type Settlement,
  type Store,
  type Ticket,
  UNUSED,
} from '@millrace/queue';
import type { RateLimitGauges } from '@millrace/upstream';
import { nowAndThen } from './now-and-then.ts';

/** A job that was taken, as its limit sees it. */
export interface Applicant {
  id: string;
  ticket: Ticket;
  /** 0 first … 9; beyond that, after every job. */
  priority: number;
  signal: AbortSignal;
}

/** What a call waited for that had to. */
export type Scarcity = NonNullable<Extract<Place, { kind: 'granted' }>['waitedFor']>;

export type Reserved =
  | Exclude<Place, { kind: 'granted' }>
  | {
      kind: 'granted';
      waitedFor: Scarcity | null;
      /** To be called with what the answer's headers say, before `settle`. */
      told(gauges: RateLimitGauges): void;
      /** To be called exactly once. null: the call was not made. */
      settle(outcome: Outcome | null): void;
    };

export interface Limits {
  reserve(settings: QueueConfig, applicant: Applicant): Promise<Reserved>;
  close(): void;
}

/** A reservation outlives the longest call by so much before it is taken for lost. */
const LEASE_MARGIN_MS = 60_000;
/** Headers of an answer that is not read whole by then are told by themselves. */
const TELL_AFTER_MS = 100;
/** After a 429 that does not say for how long. */
const CLOSE_MS = 1000;

const CLOSING: Partial<Record<string, ClosedFor>> = {
  insufficient_quota: 'insufficient_quota',
  unauthorized: 'unauthorized',
};

/** @param worker names this process in every line */
export function openLimits(store: Store, worker: string, log: Log): Limits {
  const { config, redis } = store;
  const tell = nowAndThen((error) => log.warn({ err: error }, 'A limit could not be told of a call; going on'));
  /** As many as there are models in use. */
  const lines = new Map<string, Line>();
  const estimates = new Map<string, Estimates>();
  let reservations = 0;

  const once = <T>(made: Map<string, T>, key: string, make: () => T): T => {
    const found = made.get(key) ?? make();
    made.set(key, found);
    return found;
  };

  const closeFor = async (limit: string, why: ClosedFor): Promise<void> => {
    if (await closeLimit(redis, limit, why)) {
      log.error(
        { limit, reason: why },
        'The upstream refuses the key: the limit is closed, its jobs wait. Mend it, then resume the limit',
      );
    }
  };

  return {
    reserve: async (settings, { id, ticket, priority, signal }) => {
      const { limit } = settings;
      const terms = config.limits[limit];
      if (terms === undefined) throw new Error(`there is no limit '${limit}'`);
      const model = ticket.model ?? settings.model ?? '';
      const group = groupOf(terms, model);
      const line = once(lines, `${limit} ${group}`, () => openLine(redis, { limit, group }, terms, worker, tell));
      const learned = once(estimates, limit, () => openEstimates(redis, limit, tell));
      const place = await line.acquire({
        id: `${worker} ${id} ${reservations++}`,
        tokens: learned.expected(ticket, model),
        priority,
        leaseMs: settings.timeoutSeconds * 1000 + LEASE_MARGIN_MS,
        signal,
      });
      if (place.kind !== 'granted') return place;
      const began = performance.now();
      let told: RateLimitGauges | null = null;
      let telling: NodeJS.Timeout | undefined;
      return {
        kind: 'granted',
        waitedFor: place.waitedFor ?? null,
        told: (gauges) => {
          told = gauges;
          // Where nothing limits, and nothing is said to, there is nothing to tell.
          if (place.grant === null) return;
          // What a plain answer says is told with its end; a long one's headers are known long before that.
          telling = setTimeout(() => {
            void line.release(place.grant, { ...GOES_ON, ...gaugesOf(gauges) });
            told = null;
          }, TELL_AFTER_MS);
        },
        settle: (outcome) => {
          clearTimeout(telling);
          const tookMs = performance.now() - began;
          void line.release(place.grant, { ...settlementOf(outcome, told, ticket, learned), tookMs });
          if (outcome?.usage != null) learned.learn(ticket, model, outcome.usage);
          const why = outcome?.kind === 'retry' ? CLOSING[outcome.reason] : undefined;
          if (why !== undefined) void closeFor(limit, why).catch(tell);
        },
      };
    },
    close: () => {
      for (const line of lines.values()) line.close();
      for (const learned of estimates.values()) learned.close();
    },
  };
}

const NOTHING_TOLD = { requestsLeft: null, tokensLeft: null };

function gaugesOf({ requests, tokens }: RateLimitGauges): Pick<Settlement, 'requestsLeft' | 'tokensLeft'> {
  return { requestsLeft: requests, tokensLeft: tokens };
}

/** The upstream has begun to answer; the call keeps its place in flight. */
const GOES_ON: Omit<Settlement, 'requestsLeft' | 'tokensLeft'> = {
  tokens: null,
  answered: true,
  closeForMs: null,
  keep: true,
};

/** Statuses that say that there are too many calls; 529 is how some say it. */
const OVERLOADED: ReadonlySet<number> = new Set([503, 529]);

/** A time-out of a call, or a connection that is not taken, is how servers without limits are overloaded. */
function boreOf(outcome: Outcome): boolean | null {
  if (outcome.kind === 'completed' || outcome.kind === 'incomplete') return true;
  if (outcome.kind === 'interrupted' || outcome.kind === 'cancelled') return null;
  const overloaded = OVERLOADED.has(outcome.error.upstream_status ?? 0);
  return overloaded || outcome.reason === 'timeout' || outcome.reason === 'connection' ? false : null;
}

function settlementOf(
  outcome: Outcome | null,
  told: RateLimitGauges | null,
  ticket: Ticket,
  estimates: Estimates,
): Settlement {
  if (outcome === null) return UNUSED;
  const refused = outcome.kind === 'retry' && outcome.reason === 'rate_limited';
  const keyRefused = outcome.kind === 'retry' && CLOSING[outcome.reason] !== undefined;
  const unreached = 'reason' in outcome && outcome.reason === 'connection';
  return {
    // What was turned away counted for nothing.
    tokens: refused || keyRefused ? 0 : estimates.counted(ticket, outcome.usage),
    ...(told === null ? NOTHING_TOLD : gaugesOf(told)),
    answered: !keyRefused && !unreached && outcome.kind !== 'interrupted' && outcome.kind !== 'cancelled',
    bore: refused ? false : boreOf(outcome),
    closeForMs: refused ? Math.max(outcome.afterMs, outcome.afterMs > 0 ? 0 : CLOSE_MS) : null,
  };
}
