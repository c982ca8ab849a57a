/** Where the words that somebody looked for stand in a text: a piece of it around the first of them, all of them marked. */
import type { TextPart } from '../views/jobs.ts';
import { termsOf, UNSPACED } from './match-expression.ts';

/** As unicode61 takes a text apart, and each character of a script without spaces on its own. */
const TOKEN = new RegExp(`${UNSPACED.source}|(?:(?!${UNSPACED.source})[\\p{L}\\p{N}\\p{Co}\\p{M}])+`, 'gu');

interface Token {
  start: number;
  end: number;
  folded: string;
}

/**
 * @param most characters of the piece, about
 * @returns null where none of the words is in the text
 */
export function markWords(text: string, typed: string, most: number): TextPart[] | null {
  const wanted = termsOf(typed).map(({ text: term, prefix }) => ({ tokens: tokensOf(term), prefix }));
  const tokens = tokensOf(text);
  const places: [start: number, end: number][] = [];
  for (let at = 0; at < tokens.length; at++) {
    for (const { tokens: row, prefix } of wanted) {
      if (!standsAt(tokens, at, row, prefix)) continue;
      places.push([tokens[at]?.start ?? 0, tokens[at + row.length - 1]?.end ?? 0]);
    }
  }
  const [first] = places;
  if (first === undefined) return null;
  const begin = tokens.find(({ start }) => start >= first[0] - most / 4)?.start ?? first[0];
  const cut = text.slice(begin, begin + most).toWellFormed();
  const parts: TextPart[] = begin > 0 ? [{ text: '…', marked: false }] : [];
  let done = 0;
  for (const [start, end] of places) {
    const [from, to] = [Math.max(start - begin, done), Math.min(end - begin, cut.length)];
    if (to <= from) continue;
    if (from > done) parts.push({ text: cut.slice(done, from), marked: false });
    parts.push({ text: cut.slice(from, to), marked: true });
    done = to;
  }
  if (done < cut.length) parts.push({ text: cut.slice(done), marked: false });
  if (begin + most < text.length) parts.push({ text: '…', marked: false });
  return parts;
}

function standsAt(tokens: readonly Token[], at: number, row: readonly Token[], prefix: boolean): boolean {
  if (row.length === 0) return false;
  return row.every(({ folded }, index) => {
    const found = tokens[at + index]?.folded;
    return prefix && index === row.length - 1 ? found?.startsWith(folded) : found === folded;
  });
}

function tokensOf(text: string): Token[] {
  return Array.from(text.matchAll(TOKEN), (match) => ({
    start: match.index,
    end: match.index + match[0].length,
    folded: match[0].normalize('NFD').replace(/\p{M}/gu, '').toLowerCase(),
  }));
}
