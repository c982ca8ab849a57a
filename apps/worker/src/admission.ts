/**
 * Whether and when a job's call may start: its upstream's circuit breaker lets it through, then its limit gives it a
 * place. Both are told how it ended. Nothing has begun before that, so nothing is used up by waiting.
 */
import { type AttemptReason, LOWEST_PRIORITY, type Log, type Outcome, type QueueConfig } from '@millrace/core';
import { type Breaker, openBreaker, type Store } from '@millrace/queue';
import type { RateLimitGauges } from '@millrace/upstream';
import type { Applicant, Limits, Scarcity } from './limits.ts';
import { nowAndThen } from './now-and-then.ts';

export type Admitted =
  | {
      kind: 'admitted';
      /** What it had to wait for longest; null: for nothing that is known. */
      waitedFor: Scarcity | 'breaker' | null;
      /** To be called with what the answer's headers say, before `settle`. */
      told(gauges: RateLimitGauges): void;
      /** To be called exactly once. null: the call was not made. */
      settle(outcome: Outcome | null): void;
    }
  | { kind: 'aborted' }
  /** Not for so long that waiting here would be in the way of others. */
  | { kind: 'held'; inMs: number }
  | { kind: 'never'; tokensPerMinute: number };

export interface Admission {
  admit(settings: QueueConfig, applicant: Applicant): Promise<Admitted>;
  /**
   * A place for a call that no job waits for: it uses what all others leave, and is held unless the upstream is well. Only
   * what it used is told, and never that it failed: it must not keep others from starting.
   */
  admitSpare(settings: QueueConfig, applicant: Omit<Applicant, 'priority'>): Promise<Admitted>;
  /** Calls to the upstream fail for everybody: that one failed says nothing about its job. */
  isDown(upstream: string): boolean;
  close(): void;
}

/** Reasons of attempts that say that the upstream is not well. An answer, however bad, says that it is there. */
const UNWELL: ReadonlySet<AttemptReason> = new Set([
  'upstream_error',
  'connection',
  'timeout',
  'stalled',
  'cut_stream',
  'request_timeout',
]);

/** An asking that takes no longer is no waiting. */
const NOTICED_MS = 50;
/** Behind every job's. */
const SPARE_PRIORITY = LOWEST_PRIORITY + 1;
/** While the upstream is not well; whoever asks again by then is told anew. */
const HELD_MS = 1000;

export function openAdmission(store: Store, limits: Limits, log: Log): Admission {
  const breakers = new Map<string, Breaker>();
  for (const name of Object.keys(store.config.upstreams)) {
    const tell = nowAndThen((error) =>
      log.warn({ err: error, upstream: name }, 'A circuit breaker cannot be shared for now; calls start'),
    );
    const onChange = (state: string): void => {
      if (state === 'open')
        log.error({ upstream: name }, 'Calls to the upstream fail: no more start but a probe now and then');
      else log.info({ upstream: name, state }, 'The circuit breaker of the upstream has turned');
    };
    breakers.set(name, openBreaker(store.redis, name, tell, onChange));
  }
  const breakerOf = (name: string): Breaker => {
    const breaker = breakers.get(name);
    if (breaker === undefined) throw new Error(`there is no upstream '${name}'`);
    return breaker;
  };
  return {
    admit: async (settings, applicant) => {
      const breaker = breakerOf(settings.upstream);
      const askedAt = performance.now();
      const pass = await breaker.enter(applicant.signal);
      if (pass.kind === 'aborted') return pass;
      if (pass.kind === 'open') return { kind: 'held', inMs: pass.inMs };
      const passedAt = performance.now();
      const place = await limits.reserve(settings, applicant);
      if (place.kind === 'granted') {
        const byBreaker = passedAt - askedAt;
        const isBreakers = byBreaker > NOTICED_MS && byBreaker > performance.now() - passedAt;
        return {
          kind: 'admitted',
          waitedFor: isBreakers ? 'breaker' : place.waitedFor,
          told: place.told,
          settle: (outcome) => {
            place.settle(outcome);
            breaker.record(isWell(outcome), pass);
          },
        };
      }
      breaker.record(null, pass);
      return place.kind === 'closed' ? { kind: 'held', inMs: place.inMs } : place;
    },
    admitSpare: async (settings, applicant) => {
      if (breakerOf(settings.upstream).state() !== 'closed') return { kind: 'held', inMs: HELD_MS };
      const place = await limits.reserve(settings, { ...applicant, priority: SPARE_PRIORITY });
      if (place.kind === 'closed') return { kind: 'held', inMs: place.inMs };
      if (place.kind !== 'granted') return place;
      return {
        kind: 'admitted',
        waitedFor: place.waitedFor,
        told: () => undefined,
        settle: (outcome) => place.settle(outcome === null || isAnswer(outcome) ? outcome : calledOff(outcome)),
      };
    },
    isDown: (upstream) => breakerOf(upstream).state() !== 'closed',
    close: () => {
      limits.close();
      for (const breaker of breakers.values()) breaker.close();
    },
  };
}

function isAnswer({ kind }: Outcome): boolean {
  return kind === 'completed' || kind === 'incomplete';
}

/** What failed, as a limit is told of what was called off. */
function calledOff({ usage = null }: Outcome): Outcome {
  return { kind: 'cancelled', possiblyBilled: false, usage };
}

/** null: what was called off, or is our own fault, tells nothing. */
function isWell(outcome: Outcome | null): boolean | null {
  if (outcome === null || outcome.kind === 'interrupted' || outcome.kind === 'cancelled') return null;
  if (outcome.kind === 'completed' || outcome.kind === 'incomplete') return true;
  if (outcome.reason === 'internal' || outcome.reason === 'deadline_exceeded') return null;
  // It had begun to answer, and well: that its connection was lost on the way may be anybody's doing.
  if (outcome.reason === 'connection' && outcome.error.upstream_status === 200) return null;
  return !UNWELL.has(outcome.reason);
}
