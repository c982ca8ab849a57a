import { expect, test } from 'vitest';
import { formatReset } from './limit-headers.ts';

test.each([
  [0, '0ms'],
  [12, '12ms'],
  [1000, '1s'],
  [59_951, '59.951s'],
  [360_000, '6m0s'],
  [3_723_000, '1h2m3s'],
])('%d ms is written %s', (ms, text) => {
  expect(formatReset(ms)).toBe(text);
});
