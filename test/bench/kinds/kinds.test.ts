/**
 * The figures of `bench kinds` that do not depend on the clock. That a killed worker's finished turns are not made again
 * is in test/e2e/tools.test.ts, that 1,000 equal jobs make one call in test/e2e/cache.test.ts.
 */
import { expect, test } from 'vitest';
import { asBatch, asLoop, cachedOf } from './shared-prefix.ts';
import { repeatedTurns } from './tool-loop.ts';

test('a finished turn that is made again is a call too many after the kill', () => {
  const calls = (at: number, count: number) => Array.from({ length: count }, () => ({ key: 'a', at }));
  const killed = { killedAt: 5, finished: new Map([['a', 4]]) };
  // Of six calls four turns are finished; the fifth was under way, so two are left.
  expect(repeatedTurns({ ...killed, ledger: [...calls(1, 5), ...calls(9, 2)] }).repeated).toBe(0);
  expect(repeatedTurns({ ...killed, ledger: [...calls(1, 5), ...calls(9, 6)] }).repeated).toBe(4);
});

test('a batch finds 1.5 times as much cached as a loop with as many calls in flight, which pays for the first of each slot', async () => {
  const run = { jobs: 120, prefixes: 4, concurrency: 60, callMs: [800, 800] as [number, number] };
  const [ours, naive] = [cachedOf(await asBatch(run)), cachedOf(await asLoop(run))];
  expect(ours.missed).toBe(4);
  expect(naive.missed).toBeGreaterThanOrEqual(60);
  expect(ours.tokens / naive.tokens).toBeGreaterThanOrEqual(1.5);
}, 60_000);
