import { expect, it } from 'vitest';
import { openWindow, type Window } from './window.ts';

/** A round of calls: at most so many, as many of them as may be in flight, all ending together. */
function round(window: Window, most: number, ok: boolean | null, ms = 100): number {
  let calls = 0;
  while (calls < most && window.enter()) calls++;
  for (let i = 0; i < calls; i++) window.leave(ok, ms);
  return calls;
}

it('bounds nothing until the upstream is overloaded', () => {
  const window = openWindow();
  expect(round(window, 5000, true)).toBe(5000);
  expect(round(window, 5000, null)).toBe(5000);
  expect(window.size()).toBe(Number.POSITIVE_INFINITY);
});

it('an overload leaves 0.7 of what was in flight, however many calls it fails', () => {
  const window = openWindow();
  round(window, 100, false);
  expect(window.size()).toBe(70);
  expect(round(window, 100, true)).toBe(70);
});

it('grows by about one call a round while it is used and calls succeed', () => {
  const window = openWindow();
  round(window, 100, false);
  for (let i = 0; i < 10; i++) round(window, 1000, true);
  expect(window.size()).toBeGreaterThan(70);
  expect(window.size()).toBeLessThanOrEqual(80);
  const { size } = window;
  const before = size();
  for (let i = 0; i < 100; i++) round(window, 1, true);
  expect(size()).toBe(before);
});

it('never shuts', () => {
  const window = openWindow();
  for (let i = 0; i < 50; i++) round(window, 100, false);
  expect(round(window, 100, true)).toBe(1);
});

it('does not grow while answers take more than twice as long as they mostly do', () => {
  const window = openWindow();
  round(window, 100, true, 100);
  round(window, 100, false);
  for (let i = 0; i < 2; i++) round(window, 100, true, 1000);
  const size = window.size();
  for (let i = 0; i < 3; i++) round(window, 100, true, 1000);
  expect(window.size()).toBe(size);
});
