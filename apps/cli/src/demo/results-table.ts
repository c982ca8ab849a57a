/** The results as a table that fits the terminal. What stands in a document is shown as text, whatever it holds. */
import Table from 'cli-table3';
import type { ResultLine } from './results-file.ts';

const SHOWN_ROWS = 20;
const INDENT = '  ';
const BETWEEN = '  ';
/** Each column's share of the columns that are to be had; the purpose takes what is left. */
const WIDTHS = { package: 24, license: 12, install: 34, links: 5 } as const;
const LEAST_PURPOSE_WIDTH = 10;
/** On a terminal too narrow for all, the install command goes first. */
const LEAST_WIDTH_WITH_INSTALL = 110;

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: INDENT,
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: BETWEEN,
};

/** The first rows of the answered documents; '' where there are none. `bold` styles the head. */
export function resultsTable(lines: readonly ResultLine[], width: number, bold: (text: string) => string): string {
  const answered = lines.flatMap((line) => (line.result === null ? [] : [{ name: line.package, facts: line.result }]));
  const shown = answered.slice(0, SHOWN_ROWS);
  if (shown.length === 0) return '';
  const withInstall = width >= LEAST_WIDTH_WITH_INSTALL;
  const widths = [WIDTHS.package, WIDTHS.license, ...(withInstall ? [WIDTHS.install] : []), WIDTHS.links];
  const used = INDENT.length + widths.reduce<number>((sum, column) => sum + column + BETWEEN.length, 0);
  const table = new Table({
    head: ['package', 'license', ...(withInstall ? ['install command'] : []), 'links', 'purpose'].map(bold),
    colWidths: [...widths, Math.max(LEAST_PURPOSE_WIDTH, width - used)],
    colAligns: ['left', 'left', ...(withInstall ? ['left' as const] : []), 'right', 'left'],
    chars: NO_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
  });
  for (const { name, facts } of shown) {
    table.push([
      asOneLine(name),
      asOneLine(facts.license ?? '–'),
      ...(withInstall ? [asOneLine(facts.install_command ?? '–')] : []),
      String(facts.links.length),
      asOneLine(facts.purpose),
    ]);
  }
  return table.toString().replace(/ +$/gm, '');
}

/** How many answered documents the table leaves out. */
export function rowsLeftOut(lines: readonly ResultLine[]): number {
  return Math.max(0, lines.filter((line) => line.result !== null).length - SHOWN_ROWS);
}

/** A document may hold escape sequences and characters that turn the line around: none reaches the terminal. */
export function asOneLine(text: string): string {
  return text
    .replace(/\s+/gu, ' ')
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/gu, '')
    .trim();
}
