import { expect, it } from 'vitest';
import { excerpt, oneLine } from './excerpt.ts';

it('a text within its bound is whole', () => {
  expect(excerpt('abc', 3)).toEqual({ text: 'abc', omitted: 0 });
});

it('a cut never shows half a character, and counts what it left out', () => {
  expect(excerpt('ab😀cd', 3)).toEqual({ text: 'ab', omitted: 4 });
  expect(excerpt('ab😀cd', 4)).toEqual({ text: 'ab😀', omitted: 2 });
});

it('broken UTF-16 becomes replacement characters', () => {
  expect(excerpt('a\ud800b', 10).text).toBe('a\ufffdb');
});

it('one line has no line breaks and says when it is cut', () => {
  expect(oneLine('  a\n\tb  c ', 100)).toBe('a b c');
  expect(oneLine('abcdef', 3)).toBe('abc…');
});
