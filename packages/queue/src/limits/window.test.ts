import { expect, it } from 'vitest';
import { openWindow, type Window } from './window.ts';

/** A round of calls: all that may be in flight are made, and end together. */
function round(window: Window, ok: boolean | null, ms = 100): number {
  let calls = 0;
  while (window.enter()) calls++;
  for (let i = 0; i < calls; i++) window.leave(ok, ms);
  return calls;
}

it('grows twofold a round while calls succeed, up to its bound', () => {
  const window = openWindow(200);
  const rounds = Array.from({ length: 6 }, () => round(window, true));
  expect(rounds[0]).toBe(16);
  for (let i = 1; i < rounds.length; i++) expect(rounds[i]).toBeGreaterThan(rounds[i - 1] as number);
  for (let i = 0; i < 20; i++) round(window, true);
  expect(round(window, true)).toBe(200);
});

it('an overload shrinks it once, however many calls it fails, and it grows slowly after that', () => {
  const window = openWindow(1000);
  for (let i = 0; i < 3; i++) round(window, true);
  const before = window.size();
  round(window, false);
  const after = window.size();
  expect(after / before).toBeCloseTo(0.7, 1);
  round(window, true);
  expect(window.size() - after).toBeLessThanOrEqual(2);
});

it('never shuts', () => {
  const window = openWindow(50);
  for (let i = 0; i < 50; i++) round(window, false);
  expect(round(window, true)).toBe(1);
});

it('does not grow while it is not used', () => {
  const window = openWindow(1000);
  for (let i = 0; i < 100; i++) {
    window.enter();
    window.leave(true, 100);
  }
  expect(window.size()).toBe(16);
});

it('does not grow while answers take more than twice as long as they mostly do', () => {
  const window = openWindow(10_000);
  for (let i = 0; i < 3; i++) round(window, true, 100);
  for (let i = 0; i < 2; i++) round(window, true, 1000);
  const size = window.size();
  round(window, true, 1000);
  expect(window.size()).toBe(size);
});

it('calls that were called off say nothing', () => {
  const window = openWindow(100);
  round(window, null);
  expect(window.size()).toBe(16);
});
