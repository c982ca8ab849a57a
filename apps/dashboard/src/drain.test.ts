/** When a backlog is said to be done, and what is said to bind. */
import type { KindStatus, LimitStatus, MinuteFigures, WaitingFor } from '@millrace/queue';
import { expect, it } from 'vitest';
import { type Backlog, estimateDrain, untimed } from './drain.ts';

const NOW = 10 * 60_000;

const minute = (completed: number, fields: Partial<MinuteFigures> = {}): MinuteFigures => ({
  minute: 0,
  submitted: 0,
  finished: { completed, failed: 0, cancelled: 0, incomplete: 0 },
  attempts: { 'completed:none': completed },
  tokens: completed === 0 ? {} : { m: { input: completed * 80, output: completed * 20, cached: 0 } },
  jobMs: 0,
  ...fields,
});
const kind = (limit: number | null): KindStatus => ({
  ...{ configured: limit, learned: null, limit, available: 0, burst: 1, others: 0, remaining: null, fullest: null },
  ...{ lowSince: null, total: 0, used: null, usedSince: null },
});
const limitOf = (
  tokens: number | null,
  requests: number | null,
  closed: LimitStatus['closed'] = null,
): LimitStatus => ({
  ...{ name: 'main', config: { models: [], burstSeconds: 1 } as never, inFlight: 0, closed },
  groups: [
    {
      ...{ group: 'm', closedUntil: null, told: null, waiting: null },
      ...{ requests: kind(requests), tokens: kind(tokens) },
    },
  ],
});
const TOKENS: WaitingFor = { reason: 'limit', until: NOW + 500, message: 'tokens of m, 0.5 s' };
const LINE: WaitingFor = { reason: 'line', until: null, message: 'the workers to take its jobs' };
const drain = (fields: Partial<Backlog>): ReturnType<typeof estimateDrain> =>
  estimateDrain({
    ...{ left: 100, leftUnderLimit: 100, waitingFor: TOKENS, minutes: [], limit: limitOf(1000, null), group: 'm' },
    ...{ now: NOW, ...fields },
  });
const steady = [minute(3), ...Array.from({ length: 5 }, () => minute(20)), minute(4)];

it('where nothing waits there is nothing to drain', () => {
  expect(drain({ waitingFor: null })).toBeNull();
});

it('a queue that runs steadily goes on at its rate, and what binds is what its jobs wait for', () => {
  expect(drain({ minutes: steady })).toEqual({ inMs: 5 * 60_000, binds: 'tokens of m', why: null });
  // The first of few minutes is a part of one, and what came before a standstill says nothing.
  const fresh = [minute(500), minute(0), minute(3), minute(20), minute(4)];
  expect(drain({ minutes: fresh, waitingFor: LINE })).toMatchObject({ inMs: 5 * 60_000, binds: LINE.message });
});

it('else it is what the limit lets through, by what a job took, shared with all that are under it', () => {
  // 100 tokens a job, 1000 a minute: 10 jobs a minute.
  expect(drain({ minutes: [minute(5)], leftUnderLimit: 300 })).toEqual({
    ...{ inMs: 30 * 60_000, binds: 'tokens of m', why: null },
  });
  const requests = { waitingFor: LINE, limit: limitOf(1000, 4) };
  expect(drain({ minutes: [minute(5)], ...requests })).toMatchObject({ inMs: 25 * 60_000, binds: 'requests of m' });
});

it('jobs that were refused are no measure of what one takes: then it is not told', () => {
  const refused = minute(0, { finished: { completed: 0, failed: 20, cancelled: 0, incomplete: 0 } });
  const untold = { inMs: null, binds: null, why: 'too little has been done yet to tell' };
  expect(drain({ minutes: [refused] })).toEqual(untold);
  expect(drain({ minutes: [] })).toEqual(untold);
  expect(drain({ minutes: [minute(5)], limit: limitOf(null, null) })).toEqual(untold);
});

it('what is held is not drained, however fast it went before: the reason is told instead of a time', () => {
  const held: [WaitingFor['reason'], message: string, why: string][] = [
    ['queue_paused', "the queue 'generate' is paused", "held: the queue 'generate' is paused"],
    ['no_worker', 'no worker is alive', 'held: no worker is alive'],
    [
      ...(['breaker', "the circuit breaker of 'x': its calls fail, probed in 3.2 s"] as const),
      "held by the circuit breaker of 'x': its calls fail",
    ],
  ];
  for (const [reason, message, why] of held) {
    const waitingFor: WaitingFor = { reason, until: NOW, message };
    expect(drain({ minutes: steady, waitingFor })).toEqual({ inMs: null, binds: null, why });
  }
  const closed = limitOf(1000, null, { why: 'unauthorized', since: 0, nextProbeAt: NOW });
  const refused = "the limit 'main' is closed: the upstream refuses the key";
  const waitingFor: WaitingFor = { reason: 'limit_closed', until: NOW, message: refused };
  const why = (of: WaitingFor) => drain({ minutes: steady, waitingFor: of, limit: closed })?.why;
  expect(why(waitingFor)).toBe(`held: ${refused}`);
  const delayed: WaitingFor = { reason: 'delay', until: NOW + 5000, message: 'the delay, or the backoff, of its jobs' };
  expect(why(delayed)).toBe("held: the limit 'main' is closed");
});

it('a pause of the upstream’s, and the first delay, come on top', () => {
  const message = 'the upstream asked for a pause: m, 90.0 s';
  const paused: WaitingFor = { reason: 'limit_closed', until: NOW + 90_000, message };
  expect(drain({ minutes: steady, waitingFor: paused })).toMatchObject({ inMs: 90_000 + 5 * 60_000 });
});

it('a backlog that grows is said to', () => {
  const growing = Array.from({ length: 7 }, () => minute(20, { submitted: 30 }));
  expect(drain({ minutes: growing })).toEqual({ inMs: null, binds: 'tokens of m', why: 'more comes in than is done' });
  growing[4] = minute(20, { submitted: 10 });
  expect(drain({ minutes: growing })?.inMs).not.toBeNull();
});

it('a message is told without the seconds that count down', () => {
  expect(untimed('tokens of gpt-5, 3.2 s')).toBe('tokens of gpt-5');
  expect(untimed("the circuit breaker of 'x': its calls fail, probed in 0.4 s")).toBe(
    "the circuit breaker of 'x': its calls fail",
  );
  expect(untimed("the queue 'a' is paused")).toBe("the queue 'a' is paused");
});
