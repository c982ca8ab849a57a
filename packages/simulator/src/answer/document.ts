/** A document as the finders see it: its text, its Markdown and its `Key: value` lines, each read at most once. */
import { type Markdown, plainText, readMarkdown } from './markdown.ts';

export interface Document {
  text: string;
  markdown: Markdown;
  /** By the key's words in lower case, single-spaced; the first line with a key wins. */
  values: ReadonlyMap<string, string>;
}

/** A longer "key" is a sentence that holds a colon. */
const MAX_KEY_WORDS = 5;
const MAX_PAIRS = 500;
const KEY_VALUE = /^[\s>|*+-]*"?([\p{L}][\p{L}\p{N} _/-]{0,60}?)"?\s*[:|=]\s*"?(.+?)"?\s*[,|]?\s*$/u;
const TAG_OVER_LINES = /<[a-zA-Z][^<>]*\n[^<>]*>/g;
const DOCUMENT_TAG = /<document\b[^>]{0,200}>/i;

/** A property's name, or a key, as plain words: `invoiceNumber`, `invoice_number` and `Invoice number` are one. */
export function wordsOf(name: string): string {
  return name
    .replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1 $2')
    .replace(/[_\-/.\s]+/g, ' ')
    .trim()
    .toLowerCase();
}

function readValues(markdown: Markdown): Map<string, string> {
  const values = new Map<string, string>();
  for (const [index, line] of markdown.lines.entries()) {
    if (values.size >= MAX_PAIRS) break;
    // A table row of three cells or more pairs nothing with nothing.
    if (markdown.code[index] || /^\s*#/.test(line) || /\|.*\|.*\|.*\|/.test(line)) continue;
    const [, key = '', value = ''] = KEY_VALUE.exec(plainText(line)) ?? [];
    const words = wordsOf(key);
    // `https://…` is no key, and a table's rule no value.
    if (!words || words.split(' ').length > MAX_KEY_WORDS || value.startsWith('//') || /^[-:|\s]+$/.test(value))
      continue;
    if (!values.has(words)) values.set(words, value.trim());
  }
  return values;
}

/** Without HTML comments; by position, as a pattern would look for each missing end again and again. */
function withoutComments(text: string): string {
  let kept = '';
  let from = 0;
  for (let start = text.indexOf('<!--'); start >= 0; start = text.indexOf('<!--', from)) {
    const end = text.indexOf('-->', start);
    if (end < 0) break;
    kept += text.slice(from, start);
    from = end + '-->'.length;
  }
  return kept + text.slice(from);
}

function insideTags(text: string): string {
  const opening = DOCUMENT_TAG.exec(text);
  if (!opening) return text;
  const start = opening.index + opening[0].length;
  const end = text.indexOf('</document>', start);
  return end < 0 ? text : text.slice(start, end);
}

/** Reads `text`, or what stands between `<document>` tags in it. */
export function readDocument(text: string): Document {
  const inner = insideTags(text);
  let markdown: Markdown | undefined;
  let values: Map<string, string> | undefined;
  const document: Document = {
    text: inner,
    get markdown() {
      markdown ??= readMarkdown(withoutComments(inner).replace(TAG_OVER_LINES, ' '));
      return markdown;
    },
    get values() {
      values ??= readValues(document.markdown);
      return values;
    },
  };
  return document;
}
