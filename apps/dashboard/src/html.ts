/**
 * HTML that is safe by default: what is put into the template is text and is escaped, unless it was made by this very
 * template. Nothing else can make an `Html`, so a prompt or an output can never be taken for markup.
 */

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escapeText = (text: string): string => text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? character);

/** Markup that is safe to send. A class with a private field: no value out of JSON can pass for one. */
class SafeHtml {
  readonly #markup: string;
  constructor(markup: string) {
    this.#markup = markup;
  }
  toString(): string {
    return this.#markup;
  }
}
export type Html = SafeHtml;

/** What may stand in a template. Null and false are nothing, so that a part can be left out where it is written. */
export type Part = string | number | Html | readonly Html[] | null | false;

/**
 * The template tag. Parts are escaped for element content and for quoted attribute values; never put one into a
 * script, a style or an attribute without quotes.
 */
export function html(literals: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let markup = literals[0] ?? '';
  for (const [index, part] of parts.entries()) markup += render(part) + (literals[index + 1] ?? '');
  return new SafeHtml(markup);
}

function render(part: Part): string {
  if (part === null || part === false) return '';
  if (part instanceof SafeHtml) return part.toString();
  // Only what this template made is joined unescaped; the text of anything else is text.
  if (Array.isArray(part)) return part.map((one: Part) => render(one)).join('');
  return escapeText(String(part));
}
