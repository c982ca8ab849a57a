import fc from 'fast-check';
import { expect, it } from 'vitest';
import { markWords } from './mark-words.ts';

const shown = (text: string, typed: string, most = 200): string | undefined =>
  markWords(text, typed, most)
    ?.map(({ text: part, marked }) => (marked ? `[${part}]` : part))
    .join('');

it('words, phrases and beginnings are marked as they stand in the text, whatever their case and accents', () => {
  expect(shown('A Naïve fox, a naive one', 'naive')).toBe('A [Naïve] fox, a [naive] one');
  expect(shown('quick brown fox', '"brown fox"')).toBe('quick [brown fox]');
  expect(shown('quick brown fox', 'bro* quick')).toBe('[quick] [brown] fox');
  expect(shown('我们在北京见', '北京')).toBe('我们在[北京]见');
  expect(shown('a foxglove', 'fox')).toBeUndefined();
});

it('of a long text the piece around the first word is shown, and that it is one', () => {
  const text = `${'before '.repeat(100)}needle${' after'.repeat(100)}`;
  const piece = shown(text, 'needle', 80) ?? '';
  expect(piece).toContain('[needle]');
  expect(piece.startsWith('…')).toBe(true);
  expect(piece.endsWith('…')).toBe(true);
  expect(piece.length).toBeLessThan(90);
});

it('marking changes no text, whatever it and the words are', () => {
  const any = fc.string({ unit: 'binary', maxLength: 80 });
  fc.assert(
    fc.property(any, any, (text, typed) => {
      const parts = markWords(text, `${typed} ${text.slice(0, 5)}`, 1000);
      if (parts === null) return;
      const whole = parts
        .map((part) => part.text)
        .join('')
        .replace(/^…/, '');
      expect(text.toWellFormed().endsWith(whole) || text.startsWith('…')).toBe(true);
    }),
    { numRuns: 1000 },
  );
});
