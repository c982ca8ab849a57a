/** A job's attempts on one axis of time: what each of them did, from when to when. */
import type { JobPageView } from '../../../src/views/job.ts';

export type SpanKind = 'line' | 'limit' | 'called' | 'answering' | 'tools' | 'running';

export interface Span {
  kind: SpanKind;
  /** ms since 1970. */
  from: number;
  to: number;
  /** In words, without how long. */
  what: string;
}

export interface AttemptLineOf {
  number: number;
  spans: Span[];
}

export interface Timeline {
  from: number;
  to: number;
  attempts: AttemptLineOf[];
}

const WAITED_FOR: Readonly<Record<string, string>> = {
  requests: 'waited for requests of its limit',
  tokens: 'waited for tokens of its limit',
  in_flight: 'waited for another call to end',
  learning: 'waited for the first answers, which tell the limit',
  closed: 'waited for its limit to open',
  breaker: 'waited for the circuit breaker',
};
/** What took no longer is not worth a bar. */
const WORTH_MS = 1;

/** @param now where it still runs, ms */
export function timelineOf(job: Pick<JobPageView, 'created_at' | 'attempts' | 'turns'>, now: number): Timeline {
  let before = job.created_at;
  const attempts = job.attempts.map((attempt, place): AttemptLineOf => {
    const { timeline, started_at: startedAt } = attempt;
    const end = attempt.finished_at ?? now;
    const takenAt = timeline?.taken_at ?? startedAt;
    const letAt = timeline === null ? startedAt : takenAt + timeline.waited_ms;
    const calledAt = timeline?.called_at ?? null;
    const firstAt = timeline?.first_token_at ?? null;
    const spans: Span[] = [
      { kind: 'line', from: before, to: takenAt, what: place === 0 ? 'in line' : 'waited to be tried again' },
      { kind: 'limit', from: takenAt, to: letAt, what: WAITED_FOR[timeline?.waited_for ?? ''] ?? 'taken, not begun' },
    ];
    if (timeline === null) {
      const running = attempt.finished_at === null;
      spans.push({ kind: 'running', from: startedAt, to: end, what: running ? 'runs' : 'ran' });
    } else if (calledAt !== null) {
      spans.push({
        kind: 'called',
        from: calledAt,
        to: firstAt ?? end,
        what: firstAt === null ? 'called' : 'called, to the first token',
      });
      if (firstAt !== null) spans.push({ kind: 'answering', from: firstAt, to: end, what: 'answering' });
    }
    for (const { at, tools_ms: ms } of job.turns) {
      if (ms > 0 && at >= startedAt && at <= end) {
        spans.push({ kind: 'tools', from: at, to: at + ms, what: 'tools' });
      }
    }
    before = end;
    return { number: attempt.number, spans: spans.filter(({ from, to }) => to - from >= WORTH_MS) };
  });
  return { from: job.created_at, to: Math.max(before, job.created_at + 1), attempts };
}
