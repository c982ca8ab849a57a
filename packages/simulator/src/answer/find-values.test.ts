import { expect, test } from 'vitest';
import { readDocument } from './document.ts';
import { findDate, findEmail, findKeyValue, findNumber, parseNumber } from './find-values.ts';

test.each([
  ['1,234.50', 1234.5],
  ['1.234,50', 1234.5],
  ['1 234,50', 1234.5],
  ["1'234.50", 1234.5],
  ['1,234', 1234],
  ['12.5', 12.5],
  ['1,234,567', 1_234_567],
  ['-7', -7],
  ['no number', undefined],
])('%s reads as %s', (text, value) => {
  expect(parseNumber(text)).toBe(value);
});

test.each([
  ['on 2026-03-04 at noon', '2026-03-04'],
  ['on 3 March 2026', '2026-03-03'],
  ['on March 3rd, 2026', '2026-03-03'],
  ['am 03.03.2026', '2026-03-03'],
  ['version 1.2.3', undefined],
])('%s is the date %s', (text, date) => {
  expect(findDate(text, false)).toBe(date);
});

test('a time is kept where one is asked for', () => {
  expect(findDate('at 2026-03-04T05:06:07+0200', true)).toBe('2026-03-04T05:06:07+02:00');
  expect(findDate('on 2026-03-04', true)).toBe('2026-03-04T00:00:00Z');
});

test('a total is not its subtotal, and the last one counts', () => {
  const document = readDocument('Subtotal 90\nTotal 100\nGrand Total 119.00');
  expect(findNumber(document, 'total')).toBe(119);
  expect(findNumber(document, 'subtotal')).toBe(90);
  expect(findNumber(document, 'discount')).toBeUndefined();
});

test('a key is found however its words are joined', () => {
  const document = readDocument('- **Invoice Number**: A-1\n| Due date | soon |\n"city": "Paris",');
  expect(findKeyValue(document, 'invoiceNumber')).toBe('A-1');
  expect(findKeyValue(document, 'due_date')).toBe('soon');
  expect(findKeyValue(document, 'city')).toBe('Paris');
  expect(findKeyValue(document, 'constructor')).toBeUndefined();
});

test('an e-mail address is found without what surrounds it', () => {
  expect(findEmail('Write to <ada.l@mail.example.org>.')).toBe('ada.l@mail.example.org');
});
