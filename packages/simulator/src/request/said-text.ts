/**
 * The text a prompt's `[[say:text]]` puts into the model's mouth. Each is said once: what was answered since, as the
 * input's assistant messages tell, is used up, so that a turn that follows is answered in its own right.
 */
import { isObject } from '../json.ts';
import { itemTexts } from './input-text.ts';
import { readLiteralWords } from './literal-words.ts';

function wordsIn(text: string): string[] {
  return readLiteralWords(text).flatMap((word) => (word.kind === 'say' ? [word.text] : []));
}

/** What the answer to `input` is to say; undefined where nothing is given. */
export function saidText(input: unknown): string | undefined {
  if (typeof input === 'string') return wordsIn(input)[0];
  if (!Array.isArray(input)) return undefined;
  const waiting: string[] = [];
  for (const item of input) {
    if (isObject(item) && item.role === 'assistant') waiting.shift();
    else waiting.push(...itemTexts(item).flatMap(wordsIn));
  }
  return waiting[0];
}
