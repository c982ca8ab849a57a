/** For tests of what is made of figures: figures of a quiet Millrace, of which a test changes what it is about. */
import { type ConfigInput, readEnvironment, resolveConfig } from '@millrace/core';
import type { GroupStatus, KindStatus, LimitStatus, MinuteFigures, QueueCounts } from '@millrace/queue';
import type { Figures } from '../snapshot.ts';

/** Half of this minute is over. */
export const MINUTE = 29_000_000;
export const NOW = MINUTE * 60_000 + 30_000;

export const configOf = (input: ConfigInput): ReturnType<typeof resolveConfig> =>
  resolveConfig(input, readEnvironment({}));

/** A minute in which so many jobs were completed, and nothing else. */
export const minuteOf = (minute: number, completed = 0, fields: Partial<MinuteFigures> = {}): MinuteFigures => ({
  ...{ minute, submitted: 0, attempts: {}, tokens: {}, jobMs: 0 },
  finished: { completed, failed: 0, cancelled: 0, incomplete: 0 },
  ...fields,
});

export const countsOf = (name: string, fields: Partial<QueueCounts> = {}): QueueCounts => ({
  ...{ name, paused: false, waiting: 0, delayed: 0, active: 0, completed: 0, failed: 0, cancelled: 0, incomplete: 0 },
  ...fields,
});

export const kindOf = (fields: Partial<KindStatus> = {}): KindStatus => ({
  ...{ configured: null, learned: null, limit: null, available: null, burst: null, others: 0, remaining: null },
  ...{ fullest: null, lowSince: null, total: 0, used: null, usedSince: null },
  ...fields,
});

export const groupOf = (group: string, fields: Partial<GroupStatus> = {}): GroupStatus => ({
  ...{ group, closedUntil: null, told: null, requests: kindOf(), tokens: kindOf(), waiting: null },
  ...fields,
});

export const limitOf = (config: ReturnType<typeof configOf>, name: string, groups: GroupStatus[]): LimitStatus => {
  const terms = config.limits[name];
  if (terms === undefined) throw new Error(`no limit '${name}'`);
  return { name, config: terms, inFlight: 0, closed: null, groups };
};

export const figuresOf = (fields: Partial<Figures> = {}): Figures => ({
  ...{ readAt: NOW, queues: [], limits: { now: NOW, limits: [] }, breakers: new Map(), workers: [] },
  ...{ firstDue: new Map(), minutes: new Map(), spent: { usd: 0, unknownTokens: 0 }, failures: [], causes: null },
  ...fields,
});
