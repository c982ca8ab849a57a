/**
 * What words may be looked for: so many that the index answers in some 300 ms with 200,000 jobs in it, whichever they
 * are. Everybody's searches wait for one another, so one that takes seconds is refused, with how to ask it better.
 */
import { InvalidRequestError } from '@millrace/core';
import { spaced, termsOf } from './match-expression.ts';

/** In all words and phrases together. A phrase of 230 words, common ones, took 9 s. */
const MOST_WORDS = 32;
/** Each is looked up as all the words that begin so. */
const MOST_BEGINNINGS = 8;
const LEAST_BEGINNING = 2;
/** As unicode61 takes a text apart. */
const TOKEN = /[\p{L}\p{N}\p{Co}\p{M}]+/gu;
const LETTER = /[\p{L}\p{N}\p{Co}]/gu;
/** One character of these says as much as several letters, and mostly is a word of its own. */
const DENSE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]/u;

/** @throws InvalidRequestError naming `text` and the remedy */
export function checkText(typed: string): void {
  const terms = termsOf(typed).map(({ text, prefix }) => ({ words: spaced(text).match(TOKEN) ?? [], prefix }));
  const words = terms.reduce((sum, term) => sum + term.words.length, 0);
  if (words === 0) throw invalid("has no letter or digit: give a word, a '\"phrase\"' or a beginning such as 'mill*'");
  if (words > MOST_WORDS) {
    throw invalid(`has ${words} words: give at most ${MOST_WORDS}, the rarest of them; a phrase's words count too`);
  }
  const beginnings = terms.filter(({ prefix }) => prefix).map((term) => term.words.at(-1) ?? '');
  if (beginnings.length > MOST_BEGINNINGS) {
    throw invalid(`has ${beginnings.length} beginnings: give at most ${MOST_BEGINNINGS}, and whole words beside them`);
  }
  const short = beginnings.find((word) => !DENSE.test(word) && (word.match(LETTER)?.length ?? 0) < LEAST_BEGINNING);
  if (short !== undefined) {
    throw invalid(
      `looks for all that begins with '${short}', which is nearly everything: give ${LEAST_BEGINNING} letters or digits or more before the *, or the whole word`,
    );
  }
}

function invalid(problem: string): InvalidRequestError {
  return new InvalidRequestError(`'text' ${problem}.`, 'text', 'invalid_value');
}
