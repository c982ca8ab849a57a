/** The topics `overview`, what every page shows of the whole, and `history`, the last hour's lines. */
import type { BreakerState, ClosedFor, Durability, LiveWorker, WaitingFor } from '@millrace/queue';
import type { Drain } from '../drain.ts';

export interface OverviewView {
  redis: {
    reachable: boolean;
    version: string | null;
    durability: Durability | null;
    /** Why Millrace must not use this server, in words for the operator. */
    unfit: string | null;
  };
  /** Whether anything was ever read. */
  known: boolean;
  /** While Redis is away: when all below was read, ms. Else null: it is of now. */
  asOf: number | null;
  figures: FiguresView;
  queues: readonly QueueView[];
  limits: readonly LimitView[];
  breakers: readonly BreakerView[];
  workers: readonly LiveWorker[];
  failures: readonly FailureView[];
  /** What most jobs failed of in the last hour; null: not known. */
  causes: readonly CauseView[] | null;
}

export interface FiguresView {
  /** Jobs that ended in the last minute. */
  perMinute: number;
  /** Of those that ended in the last 15 minutes, how many failed; null: none ended. */
  errorShare: number | null;
  failedLately: number;
  /** US dollars since midnight UTC, of what has a price. */
  spentToday: number;
  /** Tokens of models that have no price. */
  unpricedTokens: number;
}

export interface QueueView {
  name: string;
  model: string | null;
  limit: string;
  paused: boolean;
  waiting: number;
  delayed: number;
  active: number;
  completed: number;
  failed: number;
  cancelled: number;
  incomplete: number;
  /** Jobs that ended in the last minute. */
  perMinute: number;
  /** Jobs that the workers alive run at once, at most. */
  room: number;
  inputTokens: number;
  cachedTokens: number;
  /** What binds; null: nothing waits. The message has no times in it. */
  waitingFor: WaitingFor | null;
  /** Null: there is nothing to drain. */
  drain: Drain | null;
}

/** What of a minute's requests or tokens is used. */
export interface GaugeView {
  /** A minute; null: nothing limits. */
  limit: number | null;
  /** Whose number that is. */
  whose: 'configured' | 'learned' | null;
  /** The larger one of the two, where both are known and differ. */
  other: number | null;
  /** In the last minute; null: not known yet. */
  used: number | null;
  /** By the upstream's last word. */
  left: number | null;
  low: boolean;
}

export interface LimitView {
  name: string;
  inFlight: number;
  inFlightMost: number | null;
  closed: { why: ClosedFor; since: number; nextProbeAt: number } | null;
  requestsPerMinute: number | null;
  tokensPerMinute: number | null;
  models: readonly {
    model: string;
    /** By a 429, until then, ms. */
    closedUntil: number | null;
    /** Whether answers have told of the limit. */
    told: boolean;
    requests: GaugeView;
    tokens: GaugeView;
    /** Null: nobody waits. `until`: when the first may start, ms. */
    waiting: { processes: number; scarce: string; until: number | null } | null;
  }[];
}

export interface BreakerView {
  upstream: string;
  state: BreakerState;
  since: number | null;
  failures: number;
  nextProbeAt: number | null;
}

export interface FailureView {
  id: string;
  queue: string;
  model: string | null;
  finishedAt: number;
  code: string;
  message: string;
  attempts: number;
}

export interface CauseView {
  cause: string;
  code: string;
  message: string;
  count: number;
  /** Of all that failed in the hour, 0 to 1. */
  share: number;
  /** Jobs in each five minutes, oldest first. */
  trend: readonly number[];
  lastAt: number;
}

export interface HistoryView {
  /** Unix seconds of each minute's beginning; the last is the minute up to now. */
  times: readonly number[];
  completed: readonly number[];
  failed: readonly number[];
  /** Of models that used tokens within the hour, the most used first. */
  tokens: readonly { model: string; limit: number | null; values: readonly number[] }[];
}
