import { expect, test } from 'vitest';
import { count, describe, duration } from './progress.ts';

test('progress tells what is done, the pace and when it will end', () => {
  expect(describe(100, { done: 45, failed: 5, tokens: 12_345 }, 50, 10_000)).toBe(
    '45 of 100 done · 5 failed · 5.0 jobs/s · 12,345 tokens · ETA 10 s',
  );
});

test('a resumed demo is judged by its own pace, not by what was done before', () => {
  expect(describe(100, { done: 90, failed: 0, tokens: 0 }, 10, 10_000)).toContain('1.0 jobs/s');
});

test('before anything has ended there is no ETA, and after everything none is needed', () => {
  expect(describe(10, { done: 0, failed: 0, tokens: 0 }, 0, 0)).toContain('ETA –');
  expect(describe(10, { done: 9, failed: 1, tokens: 0 }, 10, 1000)).not.toContain('ETA');
});

test('durations and numbers are said as people say them', () => {
  expect([0.2, 59, 61, 3600, 7322].map(duration)).toEqual(['1 s', '59 s', '1 min 1 s', '1 h 0 min', '2 h 2 min']);
  expect(count(1234567.8)).toBe('1,234,568');
});
