import { expect, test } from 'vitest';
import { readLiteralWords, withoutLiteralWords } from './literal-words.ts';
import { readGivenArguments, readPromptWords, withoutPromptWords } from './prompt-words.ts';

test.each([
  ['a [[say:Hello, you.]] b', 'Hello, you.'],
  ['[[say: two\nlines ]]', ' two\nlines '],
  ['[[say:{"a":[[1],[2]]}]] and [[wiki]]', '{"a":[[1],[2]]}'],
  ['[[say:[1]]] [2]]', '[1]'],
  ['[[say:]]', ''],
  ['[[say:{"a":]] then [[say:]]', '{"a":'],
])('%s holds its text as it stands', (prompt, text) => {
  expect(readLiteralWords(prompt)[0]).toMatchObject({ kind: 'say', text });
});

test('arguments are read by function, in order, JSON or not', () => {
  const prompt = '[[args:f {"city":"Oslo","at":[[1,2]]}]] [[args:g {"half":]] [[args:f]] [[ARGS:f not json]]';
  expect([...readGivenArguments(prompt)]).toEqual([
    ['f', ['{"city":"Oslo","at":[[1,2]]}', '', 'not json']],
    ['g', ['{"half":']],
  ]);
});

test('the words vanish whole, and words within them steer nothing', () => {
  expect(withoutPromptWords('a [[say:x]][[args:f {"a":[[1]]}]] [[loop:f x3]] b')).toBe('a   b');
  expect(readPromptWords('[[say:{"a":"[[fault:500]]"}]]', 0).fault).toBeUndefined();
});

test('a million words left open are read in no time', () => {
  const before = performance.now();
  expect(withoutLiteralWords('[[say:'.repeat(1_000_000)).length).toBe(6_000_000);
  expect(withoutLiteralWords(`${'[[args:f {'.repeat(100_000)} ]]`).length).toBeGreaterThan(900_000);
  expect(performance.now() - before).toBeLessThan(2000);
});
