import type { GroupStatus, KindStatus, LimitStatus, QueueCounts } from '@millrace/queue';
import { expect, it } from 'vitest';
import type { Snapshot } from '../snapshot.ts';
import { overviewPage, overviewRegions } from './overview.ts';

const QUEUES = [
  { name: 'generate', model: 'gpt-5' },
  { name: 'extract', model: null },
];
const COUNTS: QueueCounts = {
  name: 'generate',
  paused: false,
  waiting: 1234,
  delayed: 2,
  active: 3,
  completed: 1_000_000,
  failed: 1,
  cancelled: 0,
  incomplete: 0,
};
const KIND: KindStatus = {
  ...{ configured: 3000, learned: 5000, limit: 3000, available: 20, burst: 25, others: 0, remaining: 41, fullest: 50 },
  ...{ lowSince: null, total: 9000, used: 2940, usedSince: 40_000 },
};
const GROUP: GroupStatus = {
  group: 'gpt-5',
  closedUntil: null,
  told: 'headers',
  requests: KIND,
  tokens: { ...KIND, configured: null, limit: 5000, used: 100, lowSince: 1, remaining: null },
  waiting: { processes: 3, scarce: 'tokens', until: 103_200 },
};
const LIMIT: LimitStatus = {
  name: 'main',
  config: { requestsPerMinute: 3000, inFlight: 200, burstSeconds: 1, models: [] },
  inFlight: 7,
  closed: null,
  groups: [GROUP],
};
const SNAPSHOT: Snapshot = {
  at: 100_000,
  redis: { reachable: true, version: '7.0.15', durability: 'always', unfit: null },
  readAt: 100_000,
  queues: [COUNTS, { ...COUNTS, name: 'extract', paused: true }],
  totals: new Map([['generate', new Map(Object.entries({ 'tokens:input': 12_000, 'tokens:cached': 9600 }))]]),
  breakers: new Map(),
  limits: { now: 100_000, limits: [LIMIT, { ...LIMIT, name: 'other', groups: [] }] },
  failures: [
    {
      id: `resp_${'ab'.repeat(24)}`,
      queue: 'generate',
      model: 'gpt-5',
      finishedAt: 95_000,
      code: 'refusal',
      message: 'I cannot help with that.',
      attempts: 3,
    },
  ],
  failuresReadAt: 97_000,
};
const page = (snapshot: Partial<Snapshot>): string => overviewPage({ ...SNAPSHOT, ...snapshot }, QUEUES, 'v1');
const region = (snapshot: Partial<Snapshot>, name: string): string | undefined =>
  overviewRegions({ ...SNAPSHOT, ...snapshot }, QUEUES)
    .get(name)
    ?.toString();

it('the first paint is complete: counts, totals, failures with reason and link, the state of Redis', () => {
  const markup = page({});
  expect(markup).toContain('1,234');
  expect(markup).toContain('2,468');
  expect(markup).toContain('paused</span>');
  expect(markup).toContain('5 s ago');
  expect(markup).toContain('<code>refusal</code>');
  expect(markup).toContain('I cannot help with that.');
  expect(markup).toContain(`href="/jobs/resp_${'ab'.repeat(24)}"`);
  expect(markup).toContain('Redis 7.0.15');
});

it('every region the server sends has its place in the page, and every place its region', () => {
  const places = [...page({}).matchAll(/data-live="([^"]*)"/g)].map(([, name]) => name);
  expect(new Set(places)).toEqual(new Set(overviewRegions(SNAPSHOT, QUEUES).keys()));
});

it('failures that did not change are the same region, whatever the time', () => {
  expect(region({ at: 150_000 }, 'failures')).toBe(region({}, 'failures'));
});

it('a Redis that is away, forgetful or unfit is told in words', () => {
  const away = { reachable: false, version: null, durability: null, unfit: null };
  expect(region({ redis: away }, 'redis')).toContain('The figures are those of 1970-01-01 00:01:40 UTC');
  expect(region({ redis: away, readAt: null }, 'redis')).toContain('Nothing could be read yet');
  expect(region({ redis: { ...SNAPSHOT.redis, durability: 'memory' } }, 'redis')).toContain('may lose accepted jobs');
  expect(region({ redis: { ...away, unfit: 'Redis evicts <keys>.' } }, 'redis')).toContain(
    'Redis evicts &lt;keys&gt;.',
  );
});

it('what of a queue’s input tokens the upstream had cached is told where it caches', () => {
  expect(region({}, 'cached:generate')).toBe('9,600 of 12,000 input tokens were cached');
  expect(region({}, 'cached:extract')).toBe('');
});

it('figures that were never read are shown as unknown, not as zero', () => {
  const markup = page({ readAt: null, queues: [], totals: new Map(), limits: null, breakers: new Map(), failures: [] });
  expect(markup).toContain('–');
  expect(markup).not.toContain('No job has failed');
});

it('hostile text in a failure stays text', () => {
  const [failure] = SNAPSHOT.failures;
  const hostile = '"><script>alert(1)</script>';
  const markup = page({
    failures: [{ ...failure!, code: hostile, message: hostile, model: hostile, queue: hostile, id: hostile }],
  });
  expect(markup).not.toContain('<script>');
  expect(markup).toContain('&quot;&gt;&lt;script&gt;');
});

it('a few failures among a million jobs are still seen in the bar, which never overflows', () => {
  const bar = region({}, 'bar:generate') ?? '';
  const widths = [...bar.matchAll(/class="share-(\w+)" x="([\d.]+)" width="([\d.]+)"/g)].map(([, name, x, width]) => ({
    name,
    end: Number(x) + Number(width),
    width: Number(width),
  }));
  expect(widths.find(({ name }) => name === 'failed')?.width).toBeGreaterThanOrEqual(5);
  expect(widths.at(-1)?.end).toBeCloseTo(1000, 0);
});

const limits = (fields: Partial<LimitStatus>, name = 'limits'): string =>
  region({ limits: { now: 100_000, limits: [{ ...LIMIT, ...fields }] } }, name) ?? '';

it('a limit is told with what is used of it, whose number it is, what is left, who waits and what for', () => {
  const markup = limits({});
  expect(markup).toContain('2,940 of 3,000');
  expect(markup).toContain('configured, upstream 5,000 · 41 left');
  expect(markup).toContain('100 of 5,000 <span class="badge warn">low</span>');
  expect(markup).toContain('<span class="active">7</span> of 200');
  expect(markup).toContain('3 workers for tokens, 3.2 s');
  expect(limits({ groups: [] })).toContain('not used yet');
  expect(limits({ groups: [{ ...GROUP, closedUntil: 187_000 }] })).toContain('by a 429, for 1 min 27 s');
  const unknown = { ...KIND, configured: null, learned: null, limit: null, used: null };
  expect(limits({ groups: [{ ...GROUP, told: null, requests: unknown }] })).toContain('to be learned');
  expect(limits({ groups: [{ ...GROUP, told: 'none', requests: unknown }] })).toContain('not limited');
});

it('a limit that is closed is told above all, with the reason, since when and how to open it, as long the same', () => {
  const closed = { why: 'insufficient_quota', since: 60_000, nextProbeAt: 120_000 } as const;
  const notice = limits({ closed }, 'closed');
  expect(notice).toContain('insufficient_quota');
  expect(notice).toContain('1970-01-01 00:01:00 UTC');
  expect(notice).toContain('curl -X POST http://127.0.0.1:7070/v1/limits/main/resume');
  expect(limits({ closed: { ...closed, nextProbeAt: 180_000 } }, 'closed')).toBe(notice);
  expect(limits({ closed })).toContain('closed</span>');
  expect(limits({}, 'closed')).toBe('');
});

it('a model’s name stays text, and of many models the first are shown', () => {
  const hostile = '"><script>alert(1)</script>';
  expect(limits({ groups: [{ ...GROUP, group: hostile }] })).not.toContain('<script>');
  const many = limits({ groups: Array.from({ length: 42 }, (_, n) => ({ ...GROUP, group: `m${n}` })) });
  expect(many).toContain('12 more models are not shown');
});
