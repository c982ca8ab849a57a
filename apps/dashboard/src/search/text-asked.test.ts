import { expect, it } from 'vitest';
import { checkText } from './text-asked.ts';

const words = (count: number, word = 'the'): string => Array(count).fill(word).join(' ');

it.each([
  'mill',
  'mi*',
  '4o*',
  '"of the mi"*',
  words(32),
  `"${words(32)}"`,
  // One character of a dense script is a word.
  '磨*',
  'は*',
  '한*',
  // Not a beginning: the star ends no word.
  '* a',
  'a *b',
  // An accent is no letter more, but neither is it one less.
  'e\u0301t*',
  words(8, 'mi*'),
])('is looked for: %s', (text) => {
  expect(() => checkText(text)).not.toThrow();
});

it.each([
  ['a*', "all that begins with 'a'"],
  ['1*', "begins with '1'"],
  ['a**', "begins with 'a'"],
  ['e\u0301*', 'begins with'],
  ['mill a*', "begins with 'a'"],
  ['"of the m"*', "begins with 'm'"],
  ['x-a*', "begins with 'a'"],
  [words(33), 'has 33 words'],
  [`"${words(33)}"`, 'at most 32'],
  [words(11, 'a,b,c'), 'has 33 words'],
  ['磨'.repeat(33), 'has 33 words'],
  [words(9, 'mi*'), 'has 9 beginnings'],
  ['...', 'no letter or digit'],
  ['"', 'no letter or digit'],
  ['*', 'no letter or digit'],
  ['\0', 'no letter or digit'],
])('is refused, with the remedy: %s', (text, message) => {
  expect(() => checkText(text)).toThrow(
    expect.objectContaining({ status: 400, param: 'text', message: expect.stringContaining(message) }),
  );
});
