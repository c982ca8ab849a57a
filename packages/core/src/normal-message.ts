/**
 * An error's message without what differs between two errors of one kind: numbers, ids, times and durations become `#`,
 * what is quoted `“…”`, addresses `<url>` and `<email>`. What is normal stays as it is. Takes time in proportion to the
 * message's length, whatever stands in it, and no more than so much of it is read.
 */

const READ_CHARACTERS = 2000;
const KEPT_CHARACTERS = 300;
/** No word of a language is as long. */
const WORD_CHARACTERS = 64;
/** With a digit among so many letters it is an id. */
const MIXED_CHARACTERS = 16;

const QUOTED = '"[^"]*"|`[^`]*`|“[^“”]*”|‘[^‘’]*’|«[^«»]*»|(?<![\\p{L}\\p{N}_])\'[^\']*\'(?![\\p{L}\\p{N}_])';
const TIME =
  '\\d{4}-\\d\\d-\\d\\d(?:[T ]\\d\\d:\\d\\d(?::\\d\\d(?:\\.\\d+)?)?(?:Z|[+-]\\d\\d:?\\d\\d)?)?(?![\\p{L}\\p{N}_-])';
const DURATION = '(?:\\d+(?:\\.\\d+)?(?:ns|us|µs|ms|s|m|h|d))+(?![\\p{L}\\p{N}_-])';
const NUMBER = '\\d+(?:[.,]\\d+)*(?![\\p{L}\\p{N}_-])';
const CONTRACTION = "\\p{L}+(?:['’]\\p{L}+)+(?![\\p{L}\\p{N}_])";
const WORD = '[\\p{L}\\p{N}_]+(?:-[\\p{L}\\p{N}_]+)*';

/** Whatever there is, piece by piece. None of it can be read in two ways, so that nothing is tried again and again. */
const PIECES = new RegExp(
  [
    `(?<quoted>${QUOTED})|(?<number>${TIME}|${DURATION}|${NUMBER})`,
    `(?<contraction>${CONTRACTION})|(?<word>${WORD})|(?<quote>["'\`“”‘’«»])|[^]`,
  ].join('|'),
  'giu',
);
/** What stands between white space and quotes. */
const RUNS = /[^\s"'`“”‘’«»<>]+/g;
const WORDS = new RegExp(WORD, 'gu');

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const HEX = /^(?:[a-z]{1,12}[_-])?[0-9a-f]{8,}$/i;
const PREFIXED = /^[a-z]{1,12}[_-](?=[a-z]*\d)[a-z0-9]{8,}$/i;
const MIXED = /^(?=\p{L}*\p{N})[\p{L}\p{N}]*$/u;

/** @returns at most 300 characters */
export function normalMessage(message: string): string {
  const text = message.slice(0, READ_CHARACTERS).toWellFormed().replace(RUNS, withoutAddress);
  let normal = '';
  for (const { 0: piece, groups = {} } of text.matchAll(PIECES)) {
    const next = normalPiece(piece, groups);
    if (normal.length + next.length > KEPT_CHARACTERS) break;
    normal += next;
  }
  return normal
    .replace(/\s+/g, ' ')
    .replace(/#[#]*/g, '#')
    .replace(/#(?: (?:milliseconds?|seconds?|minutes?|hours?|days?|ms|sec|min|s|m|h)(?![\p{L}\p{N}_'’#-]))+/giu, '#')
    .trim();
}

function withoutAddress(run: string): string {
  if (run.includes('://')) return '<url>';
  return run.indexOf('@', 1) > 0 && !run.endsWith('@') ? '<email>' : run;
}

function normalPiece(piece: string, groups: Record<string, string | undefined>): string {
  if (groups.quoted !== undefined) return '“…”';
  if (groups.number !== undefined) return '#';
  if (groups.word !== undefined) return normalWord(piece);
  if (groups.contraction !== undefined) return piece.length > WORD_CHARACTERS ? '#' : piece;
  // One that opens or closes nothing: what stands around it must not become one word.
  return groups.quote !== undefined ? ' ' : piece;
}

function normalWord(word: string): string {
  if (word.length > WORD_CHARACTERS || UUID.test(word) || HEX.test(word) || PREFIXED.test(word)) return '#';
  if (word.length >= MIXED_CHARACTERS && MIXED.test(word)) return '#';
  if (!/\p{N}/u.test(word)) return word;
  return word
    .split(/\p{N}+/u)
    .map((part) => part.replace(WORDS, normalWord))
    .join('#');
}
