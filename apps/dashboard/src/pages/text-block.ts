/** Texts of any length and origin: cut with a note, folded when long, in their own direction, never as markup. */
import { FOLD_CHARACTERS, TEXT_CHARACTERS } from '../bounds.ts';
import { excerpt } from '../excerpt.ts';
import { formatCount } from '../format.ts';
import { type Html, html } from '../html.ts';

/**
 * A text under its title.
 * @param rawHref where the whole can be had when it is cut
 * @param most characters of it that are shown
 */
export function textBlock(title: string, text: string, rawHref: string, most = TEXT_CHARACTERS): Html {
  const { text: shown, omitted } = excerpt(text, most);
  const cut =
    omitted > 0 &&
    html`<p class="cut">${formatCount(omitted)} more characters are not shown: <a href="${rawHref}">all of it as JSON</a>.</p>`;
  const body = html`<pre dir="auto" tabindex="0" role="region" aria-label="${title}">
${shown}</pre>${cut}`;
  if (text.length <= FOLD_CHARACTERS) return html`<div class="text"><h3>${title}</h3>${body}</div>`;
  return html`<details class="text"><summary><h3>${title}</h3> <span class="muted">${formatCount(text.length)} characters</span></summary>${body}</details>`;
}

/** A value as indented JSON under its title. */
export function jsonBlock(title: string, value: unknown, rawHref: string): Html {
  return textBlock(title, JSON.stringify(value, null, 2) ?? 'undefined', rawHref);
}
