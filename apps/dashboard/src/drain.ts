/**
 * When a queue's backlog will be done, and what it is that takes the time. Where jobs have ended steadily it goes on at
 * that rate; else it is what the limit lets through. Where it cannot be told, or will not be done, it says why.
 */
import type { LimitStatus, MinuteFigures, WaitingFor } from '@millrace/queue';

export interface Drain {
  /** ms from now; null: it cannot be told. */
  inMs: number | null;
  /** What takes the time: `tokens of gpt-5`. Null: not known. */
  binds: string | null;
  /** Why there is no time, as a sentence: `held: no worker is alive`. Null where there is one. */
  why: string | null;
}

export interface Backlog {
  /** Not ended yet: waiting, delayed and running. */
  left: number;
  /** All jobs left under the same limit: they share what it lets through. */
  leftUnderLimit: number;
  /** Null: nothing waits. */
  waitingFor: WaitingFor | null;
  /** Of the queue, ascending, each minute; the last is the present one. */
  minutes: readonly MinuteFigures[];
  limit: LimitStatus | undefined;
  /** The group of the limit that its jobs count in. */
  group: string;
  /** Redis's clock, ms. */
  now: number;
}

const MINUTE_MS = 60_000;
/** Minutes that a steady rate is taken of: enough to even out long answers, and soon true after a change. */
const RATE_MINUTES = 5;
/** For so many minutes in a row more must have come in than was done before a backlog is said to grow. */
const GROWING_MINUTES = 3;

/** Null: nothing waits. */
export function estimateDrain(backlog: Backlog): Drain | null {
  const { left, waitingFor, minutes, now } = backlog;
  if (waitingFor === null) return null;
  const { reason } = waitingFor;
  const message = untimed(waitingFor.message);
  const held = heldBy(backlog);
  if (held !== null) return { inMs: null, binds: null, why: held };
  const over = minutes.slice(0, -1);
  const lately = over.slice(-GROWING_MINUTES);
  const observed = steadyRate(over);
  if (observed !== null && lately.length === GROWING_MINUTES && lately.every(comesIn)) {
    return { inMs: null, binds: reason === 'limit' ? message : null, why: 'more comes in than is done' };
  }
  // A pause, or the first delay to end, comes before all of it.
  const firstMs = reason === 'limit' || waitingFor.until === null ? 0 : Math.max(0, waitingFor.until - now);
  if (observed !== null) {
    return { inMs: firstMs + (left / observed) * MINUTE_MS, binds: message, why: null };
  }
  const allowed = allowedRate(backlog);
  if (allowed === null) return { inMs: null, binds: null, why: 'too little has been done yet to tell' };
  return {
    inMs: firstMs + (backlog.leftUnderLimit / allowed.rate) * MINUTE_MS,
    binds: allowed.binds,
    why: null,
  };
}

/** What keeps all of it from being done, as a sentence; null: it goes on, or will by itself. */
function heldBy({ waitingFor, limit }: Backlog): string | null {
  if (waitingFor === null) return null;
  const { reason } = waitingFor;
  const message = untimed(waitingFor.message);
  if (reason === 'queue_paused' || reason === 'no_worker') return `held: ${message}`;
  // Half open, its calls come back step by step: the message tells, and no rate of before holds.
  if (reason === 'breaker') return `held by ${message}`;
  if (limit === undefined || limit.closed === null) return null;
  // Where nothing of it is due yet, what it waits for is its delay.
  return `held: ${reason === 'limit_closed' ? message : `the limit '${limit.name}' is closed`}`;
}

/** Without the seconds that count down at the end of a message. */
export function untimed(message: string): string {
  return message.replace(/,( probed in)? [\d.]+ s$/, '');
}

/** Jobs that ended, of any outcome. */
export function endedIn({ finished }: MinuteFigures): number {
  return finished.completed + finished.failed + finished.cancelled + finished.incomplete;
}

/** Jobs a minute over the latest minutes in which some ended; null: that says nothing yet. */
function steadyRate(over: readonly MinuteFigures[]): number | null {
  const idle = over.findLastIndex((minute) => endedIn(minute) === 0);
  const run = over.slice(idle + 1).slice(-RATE_MINUTES);
  // The first minute of a run is mostly a part of one.
  const whole = run.length < RATE_MINUTES ? run.slice(1) : run;
  if (whole.length === 0) return null;
  return whole.reduce((sum, minute) => sum + endedIn(minute), 0) / whole.length;
}

function comesIn(minute: MinuteFigures): boolean {
  return minute.submitted > endedIn(minute);
}

/**
 * Jobs a minute that the limit lets through, by the tokens and calls that a job took. Null: it limits nothing, or not
 * enough was answered to tell what a job takes of what it waits for.
 */
function allowedRate({ minutes, limit, group, waitingFor }: Backlog): { rate: number; binds: string } | null {
  const status = limit?.groups.find((one) => one.group === group);
  if (status === undefined) return null;
  let [answered, tokens, calls] = [0, 0, 0];
  for (const minute of minutes) {
    // One that was refused took no tokens, and is no measure of those that wait.
    answered += minute.finished.completed + minute.finished.incomplete;
    for (const { input, output } of Object.values(minute.tokens)) tokens += input + output;
    for (const count of Object.values(minute.attempts)) calls += count;
  }
  if (answered === 0) return null;
  const rates = [
    { kind: status.tokens, perJob: tokens / answered, binds: `tokens of ${group}` },
    { kind: status.requests, perJob: calls / answered, binds: `requests of ${group}` },
  ].flatMap(({ kind, perJob, binds }) =>
    kind.limit === null || perJob === 0 ? [] : [{ rate: (kind.limit - kind.others) / perJob, binds }],
  );
  const named = untimed(waitingFor?.message ?? '');
  const [slowest] = rates.filter(({ rate }) => rate > 0).sort((a, b) => a.rate - b.rate);
  return rates.find(({ binds }) => binds === named) ?? slowest ?? null;
}
