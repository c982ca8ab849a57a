import fc from 'fast-check';
import { expect, test } from 'vitest';
import { matchingText } from './pattern.ts';

const PATTERNS = [
  '^[A-Z]{3}-\\d{4}$',
  '^\\+?[1-9]\\d{1,14}$',
  '^(red|green|blue)$',
  '^[^@\\s]+@[^@\\s]+\\.[a-z]{2,}$',
  '^\\p{Lu}\\p{Ll}+$',
  '^(?:a|b)(?<tail>c+)?$',
  '^v?\\d+\\.\\d+\\.\\d+$',
  '^\\x41\\u0042$',
];

test.each(PATTERNS)('a text for %s matches it', (pattern) => {
  const expression = new RegExp(pattern, 'u');
  expect(matchingText(pattern, (text) => expression.test(text))).toMatch(expression);
});

test('a length beyond the shortest match is reached', () => {
  const fits = (text: string) => /^a[bc]*$/.test(text) && text.length === 9;
  expect(matchingText('^a[bc]*$', fits)).toHaveLength(9);
});

test('what it does not know is given up, never thrown', () => {
  expect(matchingText('^(?=x)x$', (text) => text === 'x')).toBeUndefined();
  fc.assert(
    fc.property(fc.string(), (pattern) => {
      expect(matchingText(pattern, () => false)).toBeUndefined();
    }),
  );
});
