/**
 * What somebody types, as an expression of FTS5 that is always valid: each word and each phrase is quoted, so nothing in
 * it is an operator. A word of a script that is written without spaces is looked for as the row of its characters.
 */

const MAX_CHARACTERS = 1000;
/** What unicode61 makes tokens of; anything else only separates them. */
const WORD = /[\p{L}\p{N}\p{Co}]/u;
export const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]/gu;

export interface Term {
  text: string;
  /** It may go on. */
  prefix: boolean;
}

/** The words and phrases of what was typed; those without a letter or a digit are left out. */
export function termsOf(typed: string): Term[] {
  const text = typed.slice(0, MAX_CHARACTERS).toWellFormed().replaceAll('\0', ' ');
  const terms: Term[] = [];
  for (const [, phrase, phraseStar, word = ''] of text.matchAll(/"([^"]*)(?:"(\*?)|$)|([^\s"]+)/gu)) {
    const prefix = phrase === undefined ? word.endsWith('*') : phraseStar === '*';
    const found = phrase ?? word.replace(/\*+$/, '');
    if (WORD.test(found)) terms.push({ text: found.trim(), prefix });
  }
  return terms;
}

/** null: there is nothing in it that could be found. */
export function matchExpression(typed: string): string | null {
  const terms = termsOf(typed).map(({ text, prefix }) => `"${spaced(text)}"${prefix ? ' *' : ''}`);
  return terms.length === 0 ? null : terms.join(' AND ');
}

/** A text as the index takes it: each character of a script without spaces stands alone. */
export function spaced(text: string): string {
  return text.replace(UNSPACED, ' $& ');
}
