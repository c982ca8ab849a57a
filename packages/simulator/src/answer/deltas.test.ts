import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutIntoDeltas } from './deltas.ts';

test('the pieces joined are the text, and no character is cut in two', () => {
  const pieces = fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined });
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', ' ', '\n', 'é', '😀', '👩‍👩‍👧') }), pieces, (text, count) => {
      const deltas = cutIntoDeltas(text, count);
      expect(deltas.join('')).toBe(text);
      expect(deltas.every((delta) => delta.length > 0 && delta.isWellFormed())).toBe(true);
    }),
  );
});

test('the number of pieces is the one asked for, as far as there are characters', () => {
  const text = 'one two three four five six seven eight nine ten';
  expect(cutIntoDeltas(text, undefined)).toHaveLength(10);
  expect(cutIntoDeltas(text, 4)).toHaveLength(4);
  expect(cutIntoDeltas(text, 40)).toHaveLength(40);
  expect(cutIntoDeltas('abc', 40)).toHaveLength(3);
  expect(cutIntoDeltas('', 40)).toEqual([]);
});
