/** Which finder answers for a property, judged by its name (then its description): one table, the first match wins. */
import { type Document, wordsOf } from './document.ts';
import { findInstallCommand, findLicense, findLinks } from './find-in-readme.ts';
import { findName, findPurpose } from './find-name-and-purpose.ts';
import { findDate, findEmail, findKeyValue, findList, findNumber } from './find-values.ts';

/** A property to be filled. */
export interface Field {
  name: string;
  description: string;
}

type TextFinder = (document: Document, field: Field) => string | undefined;

/** "The name of the package, as published" says "name": what a description names before it goes on to explain. */
function phraseOf(description: string): string {
  return wordsOf(description)
    .replace(/^(the|an?|its|this) /, '')
    .replace(/[,.;:(].*$| (of|in|for|as|by|with|that|which|to|from|if|or|on|at) .*$/, '')
    .trim();
}

function stated(document: Document, { name, description }: Field): string | undefined {
  return findKeyValue(document, name) ?? (description ? findKeyValue(document, phraseOf(description)) : undefined);
}

/** In a document with headings `name: …` is about some parameter; elsewhere it is surer than the first words. */
function titledOr(document: Document, field: Field, find: (document: Document) => string | undefined) {
  const titled = document.markdown.headings.length > 0;
  return titled ? (find(document) ?? stated(document, field)) : (stated(document, field) ?? find(document));
}

const TEXT_FINDERS: [name: RegExp, find: TextFinder][] = [
  [/\b(e ?mail|mail address)\b/, (document, field) => findEmail(stated(document, field) ?? document.text)],
  [/\b(install|installation)\b/, findInstallCommand],
  [/\blicen[cs]e\b/, findLicense],
  [
    /^((package|project|library|module|product|repo|repository) )?(name|title)$/,
    (document, field) => titledOr(document, field, findName),
  ],
  [
    /^(\w+ )?(purpose|summary|description|abstract|overview|about)$/,
    (document, field) => titledOr(document, field, findPurpose),
  ],
  [
    /\b(date|deadline|day|born|birthday)\b|\b(created|updated|due|issued) (at|on)$/,
    (document, field) => findDate(stated(document, field) ?? document.text, false),
  ],
  [/\b(url|link|homepage|website|uri)\b/, (document, field) => stated(document, field) ?? findLinks(document)[0]],
];

const LINKS = /\b(links?|urls?|uris?|references|hyperlinks)\b/;
const EMAILS = /\be ?mails?\b/;
const YES = /^(yes|true|on|y|✓|✔|✅)\b/i;
const NO = /^(no|false|off|n|✗|❌)\b/i;

function finderFor(words: string): TextFinder | undefined {
  return TEXT_FINDERS.find(([name]) => name.test(words))?.[1];
}

/** A text for the property, as it stands in the document; undefined where none is found. */
export function findText(document: Document, field: Field, format: string | undefined): string | undefined {
  if (!document.text) return undefined;
  const value = stated(document, field);
  if (format === 'email') return findEmail(value ?? document.text);
  if (format === 'date' || format === 'date-time') return findDate(value ?? document.text, format === 'date-time');
  if (format === 'uri') return value ?? findLinks(document)[0];
  const finder = finderFor(wordsOf(field.name)) ?? finderFor(phraseOf(field.description));
  return finder ? finder(document, field) : value;
}

/** Items for a list of texts; empty where none are found. */
export function findTexts(document: Document, field: Field, format: string | undefined): string[] {
  if (!document.text) return [];
  const words = wordsOf(field.name);
  if (format === 'uri' || LINKS.test(words)) return findLinks(document);
  if (format === 'email' || EMAILS.test(words)) {
    const email = findEmail(document.text);
    return email ? [email] : [];
  }
  return findList(document, field.name);
}

/** A number for the property: the one that follows its name, or the last word of its name. */
export function findAmount(document: Document, field: Field): number | undefined {
  if (!document.text || !field.name) return undefined;
  const words = wordsOf(field.name);
  const last = words.split(' ').at(-1) ?? words;
  const first = words.split(' ')[0] ?? words;
  return findNumber(document, field.name) ?? findNumber(document, last) ?? findNumber(document, first);
}

/** A yes or no stated after the property's name. */
export function findFlag(document: Document, field: Field): boolean | undefined {
  const value = stated(document, field);
  if (value === undefined) return undefined;
  if (YES.test(value)) return true;
  return NO.test(value) ? false : undefined;
}

/** The first of `choices` that the document states for the property, or, of short words, mentions at all. */
export function findChoice(document: Document, field: Field, choices: readonly unknown[]): unknown {
  if (!document.text) return undefined;
  const value = findText(document, field, undefined)?.toLowerCase();
  const texts = choices.filter((choice): choice is string => typeof choice === 'string' && choice.length > 0);
  const exact = texts.find((choice) => choice.toLowerCase() === value);
  if (exact !== undefined) return exact;
  const inValue = value && texts.find((choice) => value.includes(choice.toLowerCase()));
  if (inValue) return inValue;
  return texts.find((choice) => mentions(document.text, choice));
}

/** True where `text` holds `word` as a word of its own, whatever the case. */
export function mentions(text: string, word: string): boolean {
  const escaped = word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/[_\s]+/g, '[_\\s-]+');
  return new RegExp(`(?<![\\p{L}\\p{N}])${escaped}(?![\\p{L}\\p{N}])`, 'iu').test(text);
}
