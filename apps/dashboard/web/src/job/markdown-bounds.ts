/** What can be shown as Markdown without the page standing still or falling over: a model may say anything. */

/** Marks of quotes and lists at a line's beginning, or what it is indented by. Nobody nests as deep by intent. */
const NESTED =
  /^[\t ]*(?:>[\t ]*|(?:[*+-]|\d{1,9}[.)])[\t ]+){30}|^(?:[\t ]{60}|\t{30})[\t ]*(?:[>*+-]|\d{1,9}[.)])[\t ]/m;
/** Its parser looks at each of them from each other one. */
const LINKS_MOST = 2000;

/** false: it is shown as it is written. */
export function showsAsMarkdown(text: string): boolean {
  return !NESTED.test(text) && text.split('](', LINKS_MOST + 2).length <= LINKS_MOST + 1;
}
