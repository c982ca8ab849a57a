/** Plain values in any text: e-mail addresses, dates, amounts, lists, and what follows a name and a colon. */
import { type Document, wordsOf } from './document.ts';
import { plainText, sectionUnder } from './markdown.ts';

const MAX_LIST_ITEMS = 100;
const EMAIL = /[\w.%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,4}\.[A-Za-z]{2,24}\b/;
const ISO_DATE = /\b(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?(?:\.\d+)?)(Z|[+-]\d{2}:?\d{2})?)?/;
const DAY_MONTH = /\b(\d{1,2})(?:st|nd|rd|th)?\.?\s+([A-Z][a-z]{2,8})\.?,?\s+(\d{4})\b/;
const MONTH_DAY = /\b([A-Z][a-z]{2,8})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})\b/;
const DOTTED_DATE = /\b(\d{1,2})\.(\d{1,2})\.(\d{4})\b/;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
/** How far after its word a number still belongs to it: "Total amount due (EUR): 1,200.00". */
const MAX_CHARACTERS_TO_NUMBER = 40;
const NUMBER = /[-−]?\d[\d,.' ]*\d|[-−]?\d/;

/** The text after `name` and a colon; undefined where there is none. */
export function findKeyValue(document: Document, name: string): string | undefined {
  return document.values.get(wordsOf(name));
}

/** The first e-mail address. */
export function findEmail(text: string): string | undefined {
  return EMAIL.exec(text)?.[0];
}

function isoDate(year: string, month: string | number, day: string): string | undefined {
  const number = typeof month === 'number' ? month : Number(month);
  const date = `${year}-${String(number).padStart(2, '0')}-${day.padStart(2, '0')}`;
  return Number.isNaN(Date.parse(date)) ? undefined : date;
}

function monthNumber(name: string): number {
  return MONTHS.indexOf(name.slice(0, 3).toLowerCase()) + 1;
}

/** The first date in `text`, as `YYYY-MM-DD`, with `THH:MM:SSZ` where `withTime`. */
export function findDate(text: string, withTime: boolean): string | undefined {
  const iso = ISO_DATE.exec(text);
  const [, year = '', month = '', day = '', time, zone] = iso ?? [];
  if (iso && isoDate(year, month, day)) {
    if (!withTime) return `${year}-${month}-${day}`;
    const clock = time ?? '00:00:00';
    const offset = zone && zone !== 'Z' ? zone.replace(/^([+-]\d{2}):?(\d{2})$/, '$1:$2') : 'Z';
    return `${year}-${month}-${day}T${clock.length === 5 ? `${clock}:00` : clock}${offset}`;
  }
  const found = dateInWords(text);
  return found && withTime ? `${found}T00:00:00Z` : found;
}

function dateInWords(text: string): string | undefined {
  const dayFirst = DAY_MONTH.exec(text);
  if (dayFirst?.[1] && dayFirst[2] && dayFirst[3]) return isoDate(dayFirst[3], monthNumber(dayFirst[2]), dayFirst[1]);
  const monthFirst = MONTH_DAY.exec(text);
  if (monthFirst?.[1] && monthFirst[2] && monthFirst[3]) {
    return isoDate(monthFirst[3], monthNumber(monthFirst[1]), monthFirst[2]);
  }
  const dotted = DOTTED_DATE.exec(text);
  return dotted?.[1] && dotted[2] && dotted[3] ? isoDate(dotted[3], dotted[2], dotted[1]) : undefined;
}

/** The number at the start of `text`, whether written `1,234.50`, `1.234,50` or `1 234,50`. */
export function parseNumber(text: string): number | undefined {
  const written = NUMBER.exec(text)?.[0].replace(/[' ]/g, '').replace('−', '-');
  if (written === undefined) return undefined;
  const decimal = /[.,](\d+)$/.exec(written);
  const separators = written.match(/[.,]/g) ?? [];
  const mark = decimal?.[0][0];
  const repeated = separators.filter((separator) => separator === mark).length > 1;
  const thousands = decimal?.[1]?.length === 3 && (repeated || (separators.length === 1 && mark === ','));
  const whole = decimal && !thousands ? written.slice(0, -decimal[0].length) : written;
  const value = Number(whole.replace(/[.,]/g, '') + (decimal && !thousands ? `.${decimal[1]}` : ''));
  return Number.isFinite(value) ? value : undefined;
}

/** The number that follows the word (or words) of `name`; the last mention wins: totals come after subtotals. */
export function findNumber(document: Document, name: string): number | undefined {
  const stated = findKeyValue(document, name);
  const fromKey = stated === undefined ? undefined : parseNumber(stated);
  if (fromKey !== undefined) return fromKey;
  const words = wordsOf(name).replace(/[^\p{L}\p{N} ]/gu, '');
  if (!words) return undefined;
  const mention = new RegExp(
    `(?<![\\p{L}-])${words.replaceAll(' ', '[\\s_-]+')}(?!\\p{L})([^\\n\\d]{0,${MAX_CHARACTERS_TO_NUMBER}})(${NUMBER.source})`,
    'giu',
  );
  const last = [...document.text.matchAll(mention)].at(-1);
  return last?.[2] === undefined ? undefined : parseNumber(last[2]);
}

/** The items of a list: bullets under a heading of that name, or words separated by commas after a colon. */
export function findList(document: Document, name: string): string[] {
  const words = wordsOf(name).replace(/[^\p{L}\p{N} ]/gu, '');
  const stated = findKeyValue(document, name);
  if (stated) return stated.split(/\s*[,;]\s*/, MAX_LIST_ITEMS).filter(Boolean);
  const section = words ? sectionUnder(document.markdown, new RegExp(`^\\W*${words}\\b`, 'iu')) : undefined;
  const bullets = (section?.lines ?? []).flatMap((line, index) => {
    const item = section?.code[index] ? undefined : /^\s{0,3}(?:[-*+]|\d+[.)])\s+(.*)$/.exec(line)?.[1];
    return item ? [plainText(item)] : [];
  });
  return bullets.filter(Boolean).slice(0, MAX_LIST_ITEMS);
}
