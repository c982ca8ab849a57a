/**
 * Prompt words whose text is taken as it stands, brackets and line ends included: `[[say:text]]` and
 * `[[args:name text]]`. A word ends at the first `]]` that makes JSON of a text that begins like it, else at the first
 * run of them. No text is read more than a few times, whatever is left open in it.
 */

export interface LiteralWord {
  kind: 'say' | 'args';
  text: string;
  /** Where the word stands in the prompt, brackets included. */
  start: number;
  end: number;
}

const CLOSING = ']]';
/** What is longer is no word. */
const MAX_CHARACTERS = 20_000;
const MAX_CLOSINGS_TRIED = 50;

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Where the word's text ends; `first` is the first `]]` after `from`. */
function endOfText(prompt: string, kind: LiteralWord['kind'], from: number, first: number): number {
  let closing = first;
  for (let tried = 0; tried < MAX_CLOSINGS_TRIED && closing >= 0 && closing - from <= MAX_CHARACTERS; tried += 1) {
    const text = prompt.slice(from, closing);
    const json = (kind === 'args' ? text.replace(/^\S+\s/, '') : text).trim();
    if (!/^[[{]/.test(json)) break;
    if (isJson(json)) return closing;
    closing = prompt.indexOf(CLOSING, closing + 1);
  }
  let end = first;
  while (prompt[end + CLOSING.length] === ']') end += 1;
  return end;
}

/** The words in `prompt`, in order. */
export function readLiteralWords(prompt: string): LiteralWord[] {
  const words: LiteralWord[] = [];
  if (!prompt.includes('[[')) return words;
  const opening = /\[\[(say|args):/gi;
  let closing = 0;
  for (let match = opening.exec(prompt); match; match = opening.exec(prompt)) {
    const from = opening.lastIndex;
    if (closing < from) closing = prompt.indexOf(CLOSING, from);
    if (closing < 0) break;
    if (closing - from > MAX_CHARACTERS) continue;
    const kind = match[1]?.toLowerCase() === 'say' ? 'say' : 'args';
    const to = endOfText(prompt, kind, from, closing);
    words.push({ kind, text: prompt.slice(from, to), start: match.index, end: to + CLOSING.length });
    opening.lastIndex = to + CLOSING.length;
  }
  return words;
}

/** `prompt` without those words. */
export function withoutLiteralWords(prompt: string): string {
  let kept = '';
  let from = 0;
  for (const { start, end } of readLiteralWords(prompt)) {
    kept += prompt.slice(from, start);
    from = end;
  }
  return kept + prompt.slice(from);
}
