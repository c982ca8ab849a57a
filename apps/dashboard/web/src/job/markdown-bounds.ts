/**
 * What can be shown as Markdown without the page standing still or falling over: a model may say anything, and one that
 * repeats itself to its limit does. Of many marks the parser looks at each from each other one: what takes it a tenth of
 * a second by these bounds takes it a minute at sixteen times as many.
 */

/** Marks of quotes and lists at a line's beginning, or what it is indented by. Nobody nests as deep by intent. */
const NESTED =
  /^[\t ]*(?:>[\t ]*|(?:[*+-]|\d{1,9}[.)])[\t ]+){30}|^(?:[\t ]{60}|\t{30})[\t ]*(?:[>*+-]|\d{1,9}[.)])[\t ]/m;
const LINKS_MOST = 2000;
const MARK = /[\]*_~]/g;
const MARKS_MOST = 4000;
const UNDERLINE = /^ {0,3}(?:=+|-+)[\t ]*$/;
const UNDERLINES_MOST = 500;
const LINES_MOST = 5000;
/** Each row has all of the cells that its table has columns, however short it is written. */
const CELLS_MOST = 10_000;
/** The line that makes those around it a table. */
const DELIMITERS = /^[\t >|:*+.\d-]+$/;

/** false: it is shown as it is written. */
export function showsAsMarkdown(text: string): boolean {
  const lines = text.split(/\r\n|\n|\r/);
  return (
    !NESTED.test(text) &&
    lines.length <= LINES_MOST &&
    (text.match(MARK)?.length ?? 0) <= MARKS_MOST &&
    text.split('](', LINKS_MOST + 2).length <= LINKS_MOST + 1 &&
    lines.filter((line) => UNDERLINE.test(line)).length <= UNDERLINES_MOST &&
    cellsIn(lines) <= CELLS_MOST
  );
}

/** At most: a table ends at an empty line or before. */
function cellsIn(lines: readonly string[]): number {
  let [cells, columns] = [0, 0];
  for (const line of lines) {
    if (line.trim() === '') columns = 0;
    else if (columns === 0 && line.includes('-') && DELIMITERS.test(line)) columns = line.split('|').length;
    cells += columns;
  }
  return cells;
}
