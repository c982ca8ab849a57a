/** What was read, as the pages are told of it. Pure: the same figures are the same view, so only what changed is sent. */
import type { Config } from '@millrace/core';
import {
  groupOf,
  type KindStatus,
  type LimitStatus,
  type MinuteFigures,
  type QueueCounts,
  queueWaiting,
  roomOf,
  type Standing,
} from '@millrace/queue';
import { endedIn, estimateDrain, untimed } from './drain.ts';
import type { Figures, Snapshot } from './snapshot.ts';
import { lastMinute } from './throughput.ts';
import type { FiguresView, GaugeView, LimitView, OverviewView, QueueView } from './views/overview.ts';

const ERROR_MINUTES = 15;
/** Until so much of a minute was watched, what was used says nothing of a whole one. */
const USED_LEAST_MS = 5000;
const MINUTE_MS = 60_000;
/** Models of a limit that are told of: those in use first; the API tells of all. */
const MODELS_SHOWN = 30;

export function overviewView(config: Config, { redis, figures }: Snapshot): OverviewView {
  if (figures === null) {
    const none = { perMinute: 0, errorShare: null, failedLately: 0, spentToday: 0, unpricedTokens: 0 };
    const nothing = { queues: [], limits: [], breakers: [], workers: [], failures: [], causes: null };
    return { redis, known: false, asOf: null, figures: none, ...nothing };
  }
  const { breakers, workers, failures, causes, limits, queues, readAt } = figures;
  return {
    redis,
    known: true,
    asOf: redis.reachable ? null : readAt,
    figures: totalsOf(figures),
    queues: queueViews(config, figures, queues),
    limits: limits.limits.map((limit) => limitView(limit, limits.now)),
    breakers: [...breakers].map(([upstream, breaker]) => ({ upstream, ...breaker })),
    workers,
    failures,
    causes,
  };
}

function totalsOf({ minutes, limits, spent }: Figures): FiguresView {
  const queues = [...minutes.values()];
  const late = queues.flatMap((ofQueue) => ofQueue.slice(-ERROR_MINUTES));
  const ended = sum(late, endedIn);
  const failedLately = sum(late, ({ finished }) => finished.failed);
  return {
    perMinute: Math.round(queues.reduce((total, one) => total + lastMinute(one, limits.now, endedIn), 0)),
    errorShare: ended === 0 ? null : failedLately / ended,
    failedLately,
    spentToday: spent.usd,
    unpricedTokens: spent.unknownTokens,
  };
}

function queueViews(config: Config, figures: Figures, counts: readonly QueueCounts[]): QueueView[] {
  const { limits, breakers, workers, firstDue, minutes } = figures;
  const paused = new Set(counts.filter((queue) => queue.paused).map(({ name }) => name));
  const standing: Standing = { now: limits.now, limits: limits.limits, breakers, workers, paused };
  const groupOfQueue = (name: string): string => {
    const settings = config.queues[name];
    const terms = settings === undefined ? undefined : config.limits[settings.limit];
    return terms === undefined ? '' : groupOf(terms, settings?.model ?? '');
  };
  const leftOf = ({ waiting, delayed, active }: QueueCounts): number => waiting + delayed + active;
  const leftUnder = (limit: string | undefined, group: string): number =>
    counts
      .filter(({ name }) => config.queues[name]?.limit === limit && groupOfQueue(name) === group)
      .reduce((total, one) => total + leftOf(one), 0);
  return counts.map((queue) => {
    const { name } = queue;
    const settings = config.queues[name];
    const group = groupOfQueue(name);
    const ofQueue: readonly MinuteFigures[] = minutes.get(name) ?? [];
    const waitingFor = queueWaiting(config, queue, standing, firstDue);
    const drain = estimateDrain({
      left: leftOf(queue),
      leftUnderLimit: leftUnder(settings?.limit, group),
      waitingFor,
      minutes: ofQueue,
      limit: limits.limits.find((limit) => limit.name === settings?.limit),
      group,
      now: limits.now,
    });
    return {
      ...queue,
      model: settings?.model ?? null,
      limit: settings?.limit ?? '',
      perMinute: Math.round(lastMinute(ofQueue, limits.now, endedIn)),
      room: roomOf(config, name, workers),
      inputTokens: tokensOf(ofQueue, 'input'),
      cachedTokens: tokensOf(ofQueue, 'cached'),
      waitingFor: waitingFor === null ? null : { ...waitingFor, message: untimed(waitingFor.message) },
      drain,
    };
  });
}

/** Of all models, in the minutes that were read: the last hour. */
function tokensOf(minutes: readonly MinuteFigures[], kind: 'input' | 'cached'): number {
  return minutes.reduce((sum, { tokens }) => sum + Object.values(tokens).reduce((of, model) => of + model[kind], 0), 0);
}

function limitView({ name, inFlight, config, closed, groups }: LimitStatus, now: number): LimitView {
  const inUse = [...groups].sort((a, b) => (b.tokens.used ?? 0) - (a.tokens.used ?? 0)).slice(0, MODELS_SHOWN);
  return {
    name,
    inFlight,
    inFlightMost: config.inFlight ?? null,
    closed,
    requestsPerMinute: config.requestsPerMinute ?? null,
    tokensPerMinute: config.tokensPerMinute ?? null,
    models: groups
      .filter((group) => inUse.includes(group))
      .map(({ group, closedUntil, told, requests, tokens, waiting }) => ({
        ...{ model: group, closedUntil, told: told !== null, waiting },
        ...{ requests: gaugeView(requests, now), tokens: gaugeView(tokens, now) },
      })),
  };
}

function gaugeView(kind: KindStatus, now: number): GaugeView {
  const { limit, configured, learned, used, usedSince, remaining, lowSince } = kind;
  const watchedMs = usedSince === null ? 0 : now - usedSince;
  const differ = configured !== null && learned !== null && configured !== learned;
  return {
    limit: limit === null ? null : Math.floor(limit),
    whose: limit === null ? null : limit === configured ? 'configured' : 'learned',
    other: differ ? Math.floor(Math.max(configured, learned)) : null,
    used: used === null || watchedMs < USED_LEAST_MS ? null : Math.round((used * MINUTE_MS) / watchedMs),
    left: remaining === null ? null : Math.floor(remaining),
    low: lowSince !== null,
  };
}

function sum<T>(of: readonly T[], value: (one: T) => number): number {
  return of.reduce((total, one) => total + value(one), 0);
}
