import { expect, test } from 'vitest';
import { createFaultDice } from './faults.ts';

test('each fault owns a stretch of the draw as long as its probability', () => {
  const dice = createFaultDice([
    { kind: '500', probability: 0.25 },
    { kind: 'rst', probability: 0.25 },
  ]);
  const kinds = [0, 0.24, 0.25, 0.49, 0.5, 0.99].map((draw) => dice.choose(draw)?.kind);
  expect(kinds).toEqual(['500', '500', 'rst', 'rst', undefined, undefined]);
});

test('a fault with times happens no more often, and leaves its stretch to nobody', () => {
  const dice = createFaultDice([
    { kind: '500', probability: 1, times: 2 },
    { kind: 'rst', probability: 1 },
  ]);
  expect([1, 2, 3].map(() => dice.choose(0.5)?.kind)).toEqual(['500', '500', undefined]);
});
