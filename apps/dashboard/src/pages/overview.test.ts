import type { QueueCounts } from '@millrace/queue';
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
const SNAPSHOT: Snapshot = {
  at: 100_000,
  redis: { reachable: true, version: '7.0.15', durability: 'always', unfit: null },
  readAt: 100_000,
  queues: [COUNTS, { ...COUNTS, name: 'extract', paused: true }],
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

it('figures that were never read are shown as unknown, not as zero', () => {
  const markup = page({ readAt: null, queues: [], failures: [] });
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
