/** What a document is called and what it is for: a README's title and first words, or any text's. */
import { isBuiltin } from 'node:module';
import type { Document } from './document.ts';
import { bareName, findInstallCommand, installedPackage, isInstallCommand } from './find-in-readme.ts';
import { plainText } from './markdown.ts';

/** A purpose is a sentence or two, not a chapter. */
const MAX_PURPOSE_CHARACTERS = 300;
/** Fewer words than these say nothing about a purpose: a lone link, "Features". */
const MIN_PURPOSE_WORDS = 3;
/** A title of more words describes; it does not name. */
const MAX_NAME_WORDS = 3;
/** A logo stands at the top or nowhere. */
const LOGO_CHARACTERS = 3000;

const PACKAGE_NAME = /^(?:@[a-z0-9~][\w.~-]*\/)?[a-z0-9~][\w.~-]*$/i;
const SECTION_TITLE =
  /^(table of )?(contents?|installation|install|installing|usage|use|getting started|quick ?start|features?|security|tutorials?|summary|purpose|about|overview|introduction|description|documentation|docs|license|examples?|api|background|why|notes?|what is .*)\??$/i;
const LOGO = /\balt=["']([\w@/. -]{2,40}?)\s+logo\b|!\[([\w@/. -]{2,40}?)\s+logo\b/i;
const IMPORTED = /\b(?:require\(\s*|from\s+|import\s+)['"]((?:@[a-z0-9~][\w.~-]*\/)?[a-z0-9~][\w.~-]*)['"]/g;
const LIST_ITEM = /^\s*([-*+]|\d+[.)])\s/;
const NO_PROSE = /^\s*([|]|\[[^\]]+\]:|={2,}|-{3,})/;

/** A title's name and what follows it: `semver(1) -- The semantic versioner for npm`. */
function splitTitle(title: string): { name: string; tail: string } {
  const clean = title.replace(/^[^\p{L}\p{N}@]+/u, '').replace(/^welcome to\s+/i, '');
  const [, head = clean, tail = ''] = /^(.+?)(?::\s+|\s+(?:-{1,2}|–|—|\|)\s+)(.+)$/u.exec(clean) ?? [];
  const name = head
    .replace(/\s*\(.*\)$/, '')
    .replace(/\s+v?\d+(\.\d+)+$/, '')
    .replace(/[^\p{L}\p{N}.?!)]+$/u, '')
    .trim();
  return { name, tail: tail.trim() };
}

function titleOf({ markdown }: Document): { name: string; tail: string } | undefined {
  const first = markdown.headings.find(({ text }) => text.length > 0);
  if (!first) return undefined;
  const title = splitTitle(first.text);
  return SECTION_TITLE.test(title.name) ? undefined : title;
}

/** The first package an example loads; what Node itself brings is nobody's name. */
function importedPackage(text: string): string | undefined {
  for (const [, name] of text.matchAll(IMPORTED)) if (name && !isBuiltin(name)) return name;
  return undefined;
}

/** The title where it names, else what is installed, drawn as a logo or imported. */
export function findName(document: Document): string | undefined {
  const title = titleOf(document)?.name;
  if (title && PACKAGE_NAME.test(title)) return title;
  const installed = installedPackage(findInstallCommand(document) ?? '');
  const isTitleOf = (name: string) => title !== undefined && bareName(title).includes(bareName(name));
  if (installed && (title === undefined || isTitleOf(installed))) return installed;
  if (title && title.split(' ').length <= MAX_NAME_WORDS) return title;
  const logo = LOGO.exec(document.text.slice(0, LOGO_CHARACTERS));
  return installed ?? title ?? logo?.[1] ?? logo?.[2] ?? importedPackage(document.text);
}

function countWords(line: string): number {
  return line.split(' ').filter((word) => /\p{L}{2,}/u.test(word)).length;
}

function cutAtSentence(text: string): string {
  if (text.length <= MAX_PURPOSE_CHARACTERS) return text;
  const head = text.slice(0, MAX_PURPOSE_CHARACTERS);
  const end = Math.max(head.lastIndexOf('. '), head.lastIndexOf('! '), head.lastIndexOf('? '));
  if (end > 0) return head.slice(0, end + 1);
  return head.slice(0, head.lastIndexOf(' ')).trim();
}

function isCommand(raw: string): boolean {
  return isInstallCommand(raw.replace(/^[\s>`]+/, ''));
}

/** Paragraphs of prose, in order: badges, tags, tables, lists, commands and code are passed over. */
function* paragraphs({ markdown }: Document): Generator<string> {
  const { lines, code, headings } = markdown;
  const headingLines = new Set(headings.map(({ line }) => line));
  let paragraph: string[] = [];
  let inList = false;
  for (const [index, raw] of lines.entries()) {
    const line = plainText(raw.replace(/^\s*>+\s?/, '').replace(/^\[!\w+\]\s*/, ''));
    const breaks = code[index] || headingLines.has(index) || !line || NO_PROSE.test(raw) || isCommand(raw);
    if (LIST_ITEM.test(raw)) inList = true;
    // What follows a list item belongs to it until a line stands apart and unindented.
    else if (inList && !/^\s/.test(raw) && !(lines[index - 1] ?? '').trim()) inList = false;
    if (breaks || inList || line.split(' | ').length > 2) {
      if (paragraph.length > 0) yield paragraph.join(' ');
      paragraph = [];
    } else if (paragraph.length > 0 || countWords(line) >= MIN_PURPOSE_WORDS) {
      paragraph.push(line);
    }
  }
  if (paragraph.length > 0) yield paragraph.join(' ');
}

/** What the title says after the name, else the first paragraph that is not merely the lead-in to something else. */
export function findPurpose(document: Document): string | undefined {
  const tail = titleOf(document)?.tail ?? '';
  if (countWords(tail) >= MIN_PURPOSE_WORDS) return cutAtSentence(tail);
  let leadIn: string | undefined;
  for (const paragraph of paragraphs(document)) {
    if (!paragraph.endsWith(':')) return cutAtSentence(paragraph);
    leadIn ??= paragraph;
  }
  return leadIn && cutAtSentence(leadIn);
}
