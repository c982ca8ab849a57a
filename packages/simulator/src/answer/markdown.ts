/** Markdown without its dress: what a reader sees of a line, and where code blocks, headings and paragraphs are. */

export interface Heading {
  level: number;
  text: string;
  line: number;
}

export interface Markdown {
  lines: string[];
  /** True for a line inside a fenced or indented code block. */
  code: boolean[];
  headings: Heading[];
}

/** A README of more lines is read no further: what the finders look for stands near its start or under a heading. */
const MAX_LINES = 5000;
/** A longer line is minified code or data, and regular expressions over it are slow. */
const MAX_LINE_CHARACTERS = 1000;

const FENCE = /^\s{0,3}(```+|~~~+)/;
const ATX_HEADING = /^\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*$/;
const HTML_HEADING = /<h([1-6])\b[^>]*>(.*?)(?:<\/h\1>|$)/i;
const SETEXT_UNDERLINE = /^\s{0,3}(=+|-{3,})\s*$/;

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  '#39': "'",
  apos: "'",
  nbsp: ' ',
  mdash: '—',
};

/** A line as it reads: no images, badges, tags or comments, links by their words, no emphasis marks. */
export function plainText(line: string): string {
  return line
    .replace(/<!--.*?(-->|$)/g, '')
    .replace(/!\[[^\]]*\](\([^)]*\)|\[[^\]]*\])?/g, '')
    .replace(/\[\s*\](\([^)]*\)|\[[^\]]*\])/g, '')
    .replace(/\[([^\]]+)\](\([^)]*\)|\[[^\]]*\])/g, '$1')
    .replace(/\[([^\]]+)\]/g, '$1')
    .replace(/<\/?[a-zA-Z][^>]*>/g, '')
    .replace(/<(?:img|a|source|picture|div|p|span)\b[^>]*$/, '')
    .replace(/&(amp|lt|gt|quot|#39|apos|nbsp|mdash);/g, (_, name: string) => ENTITIES[name] ?? '')
    .replace(/(\*\*|__)(.+?)\1/g, '$2')
    .replace(/(^|\W)[*_]([^*_]+)[*_](?=\W|$)/g, '$1$2')
    .replace(/`([^`]*)`/g, '$1')
    .replace(/\s+/g, ' ')
    .trim();
}

function headingAt(lines: string[], index: number): Heading | undefined {
  const line = lines[index] ?? '';
  const atx = ATX_HEADING.exec(line);
  if (atx) return { level: atx[1]?.length ?? 1, text: plainText(atx[2] ?? ''), line: index };
  const html = HTML_HEADING.exec(line);
  if (html) {
    // A centred title often has its words on the line after the tag.
    const words = plainText(html[2] ?? '') || plainText(lines[index + 1] ?? '');
    return { level: Number(html[1]), text: words, line: index };
  }
  const underline = SETEXT_UNDERLINE.exec(lines[index + 1] ?? '');
  if (underline && line.trim() && !/^\s*([-*>|#]|\d+\.)/.test(line)) {
    return { level: underline[1]?.startsWith('=') ? 1 : 2, text: plainText(line), line: index };
  }
  return undefined;
}

/** Splits Markdown (or any text) into lines and says which are code and which are headings. */
export function readMarkdown(text: string): Markdown {
  const lines = text
    .split(/\r?\n/, MAX_LINES)
    .map((line) => (line.length > MAX_LINE_CHARACTERS ? line.slice(0, MAX_LINE_CHARACTERS) : line));
  const code: boolean[] = [];
  const headings: Heading[] = [];
  let fence: string | undefined;
  for (const [index, line] of lines.entries()) {
    const mark = FENCE.exec(line)?.[1];
    if (fence !== undefined) {
      code.push(true);
      if (mark?.startsWith(fence)) fence = undefined;
      continue;
    }
    if (mark) {
      fence = mark;
      code.push(true);
      continue;
    }
    const indented = /^(?: {4,}|\t)\S/.test(line) && !(lines[index - 1] ?? '').trim();
    code.push(indented || (/^(?: {4,}|\t)\S/.test(line) && code[index - 1] === true));
    const heading = code[index] ? undefined : headingAt(lines, index);
    if (heading) headings.push(heading);
  }
  return { lines, code, headings };
}

/** The lines under the first heading that matches, up to the next heading of its level or above. */
export function sectionUnder(markdown: Markdown, pattern: RegExp): { lines: string[]; code: boolean[] } | undefined {
  const at = markdown.headings.findIndex((heading) => pattern.test(heading.text));
  const heading = markdown.headings[at];
  if (!heading) return undefined;
  const next = markdown.headings.slice(at + 1).find((other) => other.level <= heading.level);
  const end = next?.line ?? markdown.lines.length;
  return { lines: markdown.lines.slice(heading.line + 1, end), code: markdown.code.slice(heading.line + 1, end) };
}
