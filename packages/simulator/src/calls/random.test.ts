import { expect, test } from 'vitest';
import { createOccurrences, drawsFor } from './random.ts';

test('draws follow from seed, content and occurrence alone', () => {
  const first = drawsFor(1, 'content', 0);
  const again = drawsFor(1, 'content', 0);
  expect(again.hex).toBe(first.hex);
  expect([again.next(), again.next()]).toEqual([first.next(), first.next()]);
  expect(first.hex).toMatch(/^[0-9a-f]{48}$/);
  for (const other of [drawsFor(2, 'content', 0), drawsFor(1, 'other', 0), drawsFor(1, 'content', 1)]) {
    expect(other.hex).not.toBe(first.hex);
  }
});

test('draws are even enough for faults of a few per cent', () => {
  const draws = Array.from({ length: 4000 }, (_, index) => drawsFor(7, `content ${index}`, 0).next());
  const below = draws.filter((draw) => draw < 0.05).length;
  expect(below).toBeGreaterThan(150);
  expect(below).toBeLessThan(250);
  expect(draws.every((draw) => draw >= 0 && draw < 1)).toBe(true);
});

test('occurrences are counted, and the longest unseen content is forgotten first', () => {
  const occurrences = createOccurrences(2);
  expect([occurrences.count('a'), occurrences.count('a'), occurrences.count('b')]).toEqual([0, 1, 0]);
  occurrences.count('a');
  occurrences.count('c');
  expect(occurrences.count('a')).toBe(3);
  expect(occurrences.count('b')).toBe(0);
});
