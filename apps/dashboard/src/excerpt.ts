/** Cutting text to a bound without breaking a character, and saying so. */

export interface Excerpt {
  text: string;
  /** Characters (UTF-16 units) that were left out. */
  omitted: number;
}

/** The beginning of a text, at most `most` characters of it; half a surrogate pair is never shown. */
export function excerpt(text: string, most: number): Excerpt {
  if (text.length <= most) return { text: text.toWellFormed(), omitted: 0 };
  const last = text.charCodeAt(most - 1);
  const end = last >= 0xd800 && last <= 0xdbff ? most - 1 : most;
  return { text: text.slice(0, end).toWellFormed(), omitted: text.length - end };
}

/** A text on one line, cut with an ellipsis. */
export function oneLine(text: string, most: number): string {
  // Cut first: collapsing the white space of a text of megabytes only to drop it would cost more than it shows.
  const { text: start, omitted } = excerpt(text, most);
  return `${start.replace(/\s+/g, ' ').trim()}${omitted > 0 ? '…' : ''}`;
}
