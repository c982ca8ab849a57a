import { expect, it } from 'vitest';
import { formatAgo, formatCount, formatDuration, formatTime, timeElement } from './format.ts';

it('counts have thousands', () => {
  expect([0, 999, 1234567].map(formatCount)).toEqual(['0', '999', '1,234,567']);
});

it('spans are written in the units that matter', () => {
  expect([-5, 0, 999, 3456, 59_999, 60_000, 125_000, 12_000_000, 360_000_000].map(formatDuration)).toEqual([
    '0 ms',
    '0 ms',
    '999 ms',
    '3.4 s',
    '59 s',
    '1 min',
    '2 min 5 s',
    '3 h 20 min',
    '4 d 4 h',
  ]);
});

it('ages are written in one unit, and a clock that runs ahead is no age below zero', () => {
  expect([-4000, 0, 59_999, 60_000, 7_200_000, 172_800_000].map(formatAgo)).toEqual([
    '0 s ago',
    '0 s ago',
    '59 s ago',
    '1 min ago',
    '2 h ago',
    '2 d ago',
  ]);
});

it('a time that no date holds is shown as its number, not as a fault', () => {
  expect(formatTime(Number.NaN)).toBe('NaN');
  expect(timeElement(1e20).toString()).toBe('100000000000000000000');
  expect(timeElement(0).toString()).toBe('<time datetime="1970-01-01T00:00:00.000Z">1970-01-01 00:00:00 UTC</time>');
});
