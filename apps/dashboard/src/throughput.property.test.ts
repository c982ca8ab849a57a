import fc from 'fast-check';
import { expect, it } from 'vitest';
import { minuteOf } from './testing/figures.ts';
import { lastMinute } from './throughput.ts';

const MS = 60_000;
const count = fc.nat({ max: 100_000 });
const completed = ({ finished }: ReturnType<typeof minuteOf>): number => finished.completed;
const rate = (now: number, counts: readonly number[]): number =>
  lastMinute(
    counts.map((one, place) => minuteOf(place, one)),
    now,
    completed,
  );

it('is what ended in the present minute and a part of the minute before, which falls as time goes on', () => {
  expect(rate(MS, [60, 0])).toBe(60);
  expect(rate(1.5 * MS, [60, 10])).toBe(40);
  expect(rate(2 * MS, [60, 10])).toBe(10);
});

it('is at least the present minute’s, never more than both minutes’ sum, and nothing jumps as a minute turns', () => {
  fc.assert(
    fc.property(count, count, count, fc.nat({ max: MS }), (older, before, present, ms) => {
      const now = rate(2 * MS + ms, [older, before, present]);
      expect(now).toBeGreaterThanOrEqual(present);
      expect(now).toBeLessThanOrEqual(before + present);
      // The same jobs, told as the minute ends and as the next one begins.
      expect(rate(3 * MS, [older, before, present])).toBe(present);
      expect(rate(3 * MS, [older, before, present, 0])).toBe(present);
    }),
  );
});

it('stays within its bounds where the clock runs ahead of the minutes or behind them', () => {
  expect(rate(5 * MS, [60, 10])).toBe(10);
  expect(rate(0, [60, 10])).toBe(70);
});

it('of less than two minutes nothing is known', () => {
  expect(rate(MS, [])).toBe(0);
  expect(rate(MS, [5])).toBe(0);
});
