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

it('several processes, without a word between them, come to share what the upstream bears about evenly', () => {
  const BEARS = 60;
  const windows = [openWindow(), openWindow(), openWindow()] as const;
  // One was there long before the others: it begins with all of it.
  const started = [0, 40, 80];
  const counts = [0, 0, 0];
  // The same chances at each run (an LCG with Knuth's MMIX constants).
  let state = 7n;
  const next = (): number => {
    state = (state * 6364136223846793005n + 1442695040888963407n) % 2n ** 64n;
    return Number(state >> 33n);
  };
  for (let turn = 0; turn < 600; turn++) {
    const inside = windows.map((window, i) => {
      let calls = 0;
      while (turn >= (started[i] as number) && calls < 200 && window.enter()) calls++;
      return calls;
    });
    // What is beyond is turned away: whose it is, is chance, as the calls come to the upstream mixed.
    const order = inside.flatMap((calls, i) => Array.from({ length: calls }, () => i)).map((i) => ({ i, key: next() }));
    order.sort((a, b) => a.key - b.key);
    for (const [place, { i }] of order.entries()) (windows[i] as Window).leave(place >= order.length - BEARS, 100);
    if (turn >= 500) for (const [i, calls] of inside.entries()) counts[i] = (counts[i] as number) + calls / 100;
  }
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  expect(most / least).toBeLessThan(1.5);
  const sum = counts.reduce((total, calls) => total + calls, 0);
  expect(sum).toBeGreaterThan(BEARS * 0.7);
  expect(sum).toBeLessThan(BEARS * 1.1);
});
