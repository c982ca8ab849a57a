import fc from 'fast-check';
import { expect, it } from 'vitest';
import { similarity } from './similarity.ts';

it.each([
  ['the same', 'a b c', 'a b c', 1],
  ['other case and white space', 'A b  c', 'a B\nc', 1],
  ['nothing in common', 'a b c', 'd e f', 0],
  ['two bigrams of three', 'a b c d', 'a b c e', 2 / 3],
  ['a repeated bigram counts as often as both have it', 'a b a b', 'a b c c', 2 / 6],
  ['one word', 'a', 'b', 0],
  ['nothing at all', '', '', 1],
])('%s', (_, one, other, expected) => {
  expect(similarity(one, other)).toBeCloseTo(expected, 10);
});

it('is symmetric, and between 0 and 1', () => {
  const text = fc.array(fc.constantFrom('a', 'b', 'c')).map((words) => words.join(' '));
  fc.assert(
    fc.property(text, text, (one, other) => {
      const found = similarity(one, other);
      return found >= 0 && found <= 1 && found === similarity(other, one);
    }),
  );
});
