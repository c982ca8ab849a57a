/** What the overview tells of what was read: the figures, the gauges, and what is not known. */
import { describe, expect, it } from 'vitest';
import { overviewView } from './overview-view.ts';
import type { Figures, Snapshot } from './snapshot.ts';
import { configOf, countsOf, figuresOf, groupOf, kindOf, limitOf, MINUTE, minuteOf, NOW } from './testing/figures.ts';
import type { GaugeView, OverviewView } from './views/overview.ts';

const config = configOf({
  limits: { main: { tokensPerMinute: 1000 } },
  queues: { generate: { model: 'm', limit: 'main' }, extract: { model: 'm', limit: 'main' } },
});
const REDIS: Snapshot['redis'] = { reachable: true, version: '7.4.0', durability: 'always', unfit: null };
const view = (fields: Partial<Figures>, redis: Partial<Snapshot['redis']> = {}): OverviewView =>
  overviewView(config, { redis: { ...REDIS, ...redis }, figures: figuresOf(fields) });
const failed = (failed: number, completed = 0) => ({ finished: { completed, failed, cancelled: 0, incomplete: 0 } });

describe('the figures', () => {
  it('are unknown while Redis was never reached', () => {
    const redis = { reachable: false, version: null, durability: null, unfit: 'it evicts' };
    const told = overviewView(config, { redis, figures: null });
    expect(told).toMatchObject({ redis, known: false, asOf: null, queues: [], limits: [], causes: null });
    expect(told.figures.errorShare).toBeNull();
  });

  it('are told with the time they are of while Redis is away, and without one while it is there', () => {
    expect(view({ readAt: 5 }, { reachable: false })).toMatchObject({ known: true, asOf: 5 });
    expect(view({ readAt: 5 }).asOf).toBeNull();
  });

  it('tell the share of errors over 15 minutes of all queues, the present one among them', () => {
    const minutes = new Map([
      // The first is the sixteenth from the end: it counts no more.
      [
        'generate',
        [minuteOf(MINUTE - 15, 0, failed(900)), ...Array.from({ length: 15 }, () => minuteOf(0, 0, failed(1, 9)))],
      ],
      ['extract', [minuteOf(MINUTE - 1, 40), minuteOf(MINUTE, 0, failed(10))]],
    ]);
    expect(view({ minutes }).figures).toMatchObject({ errorShare: 25 / 200, failedLately: 25 });
  });

  it('tell no share where nothing ended: that is not none', () => {
    expect(
      view({ minutes: new Map([['generate', [minuteOf(MINUTE - 20, 50), minuteOf(MINUTE)]]]) }).figures,
    ).toMatchObject({ errorShare: 0, failedLately: 0 });
    const old = [minuteOf(MINUTE - 15, 50), ...Array.from({ length: 15 }, () => minuteOf(0))];
    expect(view({ minutes: new Map([['generate', old]]) }).figures.errorShare).toBeNull();
    expect(view({}).figures.errorShare).toBeNull();
  });

  it('tell what ended in the last 60 seconds, of any outcome', () => {
    const finished = { completed: 1, failed: 2, cancelled: 3, incomplete: 4 };
    const minutes = new Map([
      ['generate', [minuteOf(MINUTE - 1, 60), minuteOf(MINUTE, 0, { finished })]],
      ['extract', [minuteOf(MINUTE - 1, 2), minuteOf(MINUTE, 1)]],
    ]);
    const told = view({ minutes, queues: [countsOf('generate'), countsOf('extract')] });
    expect(told.figures.perMinute).toBe(30 + 10 + 1 + 1);
    expect(told.queues.map(({ perMinute }) => perMinute)).toEqual([40, 2]);
  });

  it('tell what was spent, and what has no price beside it', () => {
    expect(view({ spent: { usd: 1.5, unknownTokens: 7 } }).figures).toMatchObject({
      spentToday: 1.5,
      unpricedTokens: 7,
    });
  });
});

describe('a queue', () => {
  it('is told with its last hour’s tokens of all models, and what it waits for without the seconds', () => {
    const tokens = { m: { input: 10, output: 5, cached: 4 }, n: { input: 1, output: 1, cached: 1 } };
    const minutes = new Map([['generate', [minuteOf(MINUTE - 1, 0, { tokens }), minuteOf(MINUTE, 0, { tokens })]]]);
    const waiting = { processes: 1, scarce: 'tokens', until: NOW + 3200 } as const;
    const [queue] = view({
      minutes,
      queues: [countsOf('generate', { waiting: 5 })],
      workers: [{ id: 'w', queues: ['generate'], self: null }] as never,
      limits: { now: NOW, limits: [limitOf(config, 'main', [groupOf('m', { waiting })])] },
    }).queues;
    expect(queue).toMatchObject({ inputTokens: 22, cachedTokens: 10, model: 'm', limit: 'main' });
    expect(queue?.waitingFor).toEqual({ reason: 'limit', until: NOW + 3200, message: 'tokens of m' });
  });

  it('without a worker is said to be held by that', () => {
    const [queue] = view({ queues: [countsOf('generate', { waiting: 5 })] }).queues;
    expect(queue?.drain).toEqual({ inMs: null, binds: null, why: 'held: no worker is alive' });
  });

  it('that was taken out of the configuration is still told', () => {
    expect(view({ queues: [countsOf('old')] }).queues).toMatchObject([
      { name: 'old', model: null, limit: '', drain: null },
    ]);
  });
});

describe('a limit', () => {
  const gauge = (fields: Parameters<typeof kindOf>[0]): GaugeView | undefined => {
    const limits = [limitOf(config, 'main', [groupOf('m', { tokens: kindOf(fields) })])];
    return view({ limits: { now: NOW, limits } }).limits[0]?.models[0]?.tokens;
  };

  it('is whose number counts: the smaller of what is configured and what was learned; the larger beside it', () => {
    const nobody = { limit: null, whose: null, other: null };
    expect(gauge({})).toMatchObject(nobody);
    expect(gauge({ configured: 1000, limit: 1000 })).toMatchObject({ limit: 1000, whose: 'configured', other: null });
    const learned = { configured: 1000, learned: 400.7, limit: 400.7 };
    expect(gauge(learned)).toMatchObject({ limit: 400, whose: 'learned', other: 1000 });
    expect(gauge({ ...learned, learned: 2000.5, limit: 1000 })).toMatchObject({ whose: 'configured', other: 2000 });
    expect(gauge({ configured: 9, learned: 9, limit: 9 })).toMatchObject({ whose: 'configured', other: null });
    expect(gauge({ learned: 9.9, limit: 9.9 })).toMatchObject({ limit: 9, whose: 'learned', other: null });
  });

  it('tells what is used of it as of a whole minute, and not before it was watched for some seconds', () => {
    expect(gauge({ used: 500, usedSince: NOW - 30_000 })?.used).toBe(1000);
    expect(gauge({ used: 90, usedSince: NOW - 5000 })?.used).toBe(1080);
    for (const unknown of [{ used: 90, usedSince: NOW - 4999 }, { used: 90 }, { usedSince: NOW - 60_000 }]) {
      expect(gauge(unknown)?.used).toBeNull();
    }
    expect(gauge({ used: 0, usedSince: NOW - 60_000 })?.used).toBe(0);
  });

  it('tells what is left by the upstream’s last word, and that it is too little', () => {
    expect(gauge({ remaining: 12.9, lowSince: 1 })).toMatchObject({ left: 12, low: true });
    expect(gauge({ remaining: 0 })).toMatchObject({ left: 0, low: false });
    expect(gauge({})).toMatchObject({ left: null, low: false });
  });

  it('tells of the 30 models that use most, in the order that they always have', () => {
    const used = (place: number): number | null => (place === 0 ? null : place);
    const groups = Array.from({ length: 35 }, (_, place) =>
      groupOf(`m${place}`, { tokens: kindOf({ used: used(place) }) }),
    );
    const [limit] = view({ limits: { now: NOW, limits: [limitOf(config, 'main', groups)] } }).limits;
    expect(limit?.models.map(({ model }) => model)).toEqual(Array.from({ length: 30 }, (_, place) => `m${place + 5}`));
  });
});
