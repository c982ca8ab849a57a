/** The figure of `bench limits changed`, on a use that is known. */
import { expect, test } from 'vitest';
import type { Charge } from './charges.ts';
import { secondsUntilSettled } from './settled.ts';

const PHASE = { from: 0, until: 20_000, tokensPerMinute: 60_000 };

/** A charge every 100 ms, each as large as its time says. */
function use(tokensAt: (at: number) => number): Charge[] {
  return Array.from({ length: 200 }, (_, number) => {
    const at = number * 100;
    return { key: 'job', at, tokens: tokensAt(at) };
  });
}

test('a use that is right from the beginning is settled at once', () => {
  expect(
    secondsUntilSettled(
      PHASE,
      use(() => 100),
      [],
    ),
  ).toBe(0);
});

test('a use that was twice the limit is settled where no window shows it any more', () => {
  const seconds = secondsUntilSettled(
    PHASE,
    use((at) => (at < 5000 ? 200 : 100)),
    [],
  );
  expect(seconds).toBeGreaterThanOrEqual(4.5);
  expect(seconds).toBeLessThanOrEqual(5);
});

test('a refusal later on puts it off until then', () => {
  const refusals = [
    { at: 0, limited: 3 },
    { at: 7000, limited: 4 },
    { at: 9000, limited: 4 },
  ];
  expect(
    secondsUntilSettled(
      PHASE,
      use(() => 100),
      refusals,
    ),
  ).toBe(7);
});

test('a use that never is what the limit allows has no such time', () => {
  expect(
    secondsUntilSettled(
      PHASE,
      use(() => 80),
      [],
    ),
  ).toBeNull();
});
