import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { matchExpression, spaced, termsOf } from './match-expression.ts';

const db = new DatabaseSync(':memory:');
db.exec("CREATE VIRTUAL TABLE text USING fts5 (prompt, output, tokenize = 'unicode61 remove_diacritics 2')");
const put = db.prepare('INSERT INTO text (prompt, output) VALUES (?, ?)');
put.run(spaced('the quick brown fox naïve'), spaced('他们在北京 NEAR AND OR "quoted" x:y'));
const find = db.prepare('SELECT rowid FROM text WHERE text MATCH ?');
const found = (typed: string): boolean => {
  const expression = matchExpression(typed);
  return expression !== null && find.all(expression).length > 0;
};

const SYNTAX = [
  '"',
  '*',
  ' ',
  '(',
  ')',
  'AND',
  'OR',
  'NOT',
  'NEAR(',
  '^',
  ':',
  '{',
  '}',
  '-',
  '+',
  "'",
  'fox',
  '\0',
  '\ud800',
  '\\',
];

it('whatever is typed is looked for: no text is refused or fails', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 30 }).map((units) => String.fromCharCode(...units)),
    fc.array(fc.constantFrom(...SYNTAX), { maxLength: 25 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(texts, (typed) => {
      expect(typeof found(typed)).toBe('boolean');
    }),
    { numRuns: 3000 },
  );
});

it('a text is found by any word that it was made of', () => {
  const word = fc.stringMatching(/^[a-z]{1,10}$/);
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 12 }), fc.nat(), (words, which) => {
      put.run(spaced(words.join(' ')), '');
      expect(found(words[which % words.length] as string)).toBe(true);
    }),
    { numRuns: 200 },
  );
});

it('words must all occur; a phrase as it stands; a beginning by a star', () => {
  expect(found('fox quick')).toBe(true);
  expect(found('fox slow')).toBe(false);
  expect(found('"quick brown"')).toBe(true);
  expect(found('"brown quick"')).toBe(false);
  expect(found('bro*')).toBe(true);
  expect(found('zebr*')).toBe(false);
  expect(found('"quick bro"*')).toBe(true);
});

it('operators are words like any other, and case and accents do not matter', () => {
  expect(found('NEAR')).toBe(true);
  expect(found('fox NOT quick')).toBe(false);
  expect(found('NAIVE')).toBe(true);
  expect(found('x:y')).toBe(true);
});

it('a word in the middle of a text without spaces is found', () => {
  expect(found('北京')).toBe(true);
  expect(found('京北')).toBe(false);
});

it('a phrase that is not closed goes to the end, and what has no letter or digit is left out', () => {
  expect(termsOf('a "b c')).toEqual([
    { text: 'a', prefix: false },
    { text: 'b c', prefix: false },
  ]);
  expect(termsOf(' *** "" -- ')).toEqual([]);
});
