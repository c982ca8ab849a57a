/**
 * Templates: `{{steps.research.output_text}}`, `{{input.topic}}`, and, in a step that is made for each of a list,
 * `{{item}}`, `{{item.title}}` and `{{index}}`. One that is all of a string becomes the value itself, but where a text is
 * wanted; there, texts stand as they are, lists of texts a paragraph each, all else as JSON.
 */

/** A template: the place of its string in what was looked through, its words and their parts. */
export interface Template {
  at: string;
  text: string;
  parts: string[];
}

/** Fields of requests and jobs that hold a text, whatever fills them. */
const TEXTS: ReadonlySet<string> = new Set(['input', 'instructions', 'document', 'text', 'content']);
const TEMPLATE = /\{\{([^{}]*)\}\}/g;
const WORDS = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;

/** What a template names is not there. */
export class TemplateError extends Error {
  override name = 'TemplateError';
}

/** All templates in a JSON value; the depth of it is bounded where bodies are parsed. */
export function templatesIn(value: unknown, at = ''): Template[] {
  if (typeof value === 'string') {
    return [...value.matchAll(TEMPLATE)].map(([, words = '']) => {
      const text = words.trim();
      return { at, text, parts: WORDS.test(text) ? text.split('.') : [] };
    });
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => templatesIn(inner, under(at, key, Array.isArray(value))));
}

function under(at: string, key: string, list: boolean): string {
  if (list) return `${at}[${key}]`;
  return at === '' ? key : `${at}.${key}`;
}

/**
 * The value with its templates filled in.
 * @param read the value of what a template names: its first part and the rest
 * @throws TemplateError
 */
export function fillTemplates(value: unknown, read: (parts: string[]) => unknown): unknown {
  if (typeof value === 'string') return fillText(value, read);
  if (Array.isArray(value)) return value.map((inner) => fillTemplates(inner, read));
  if (typeof value !== 'object' || value === null) return value;
  const fill = (key: string, inner: unknown): unknown =>
    typeof inner === 'string' && TEXTS.has(key) ? asText(fillText(inner, read)) : fillTemplates(inner, read);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fill(key, inner)]));
}

function fillText(text: string, read: (parts: string[]) => unknown): unknown {
  if (!text.includes('{{')) return text;
  const whole = /^\{\{([^{}]*)\}\}$/.exec(text)?.[1];
  if (whole !== undefined) return read(whole.trim().split('.'));
  return text.replace(TEMPLATE, (_, words: string) => asText(read(words.trim().split('.'))));
}

function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value.join('\n\n');
  return JSON.stringify(value) ?? '';
}

/**
 * What is at a path inside a value.
 * @throws TemplateError naming the first part that is not there
 */
export function valueAt(value: unknown, parts: readonly string[], name: string): unknown {
  let found = value;
  for (const [index, part] of parts.entries()) {
    const inside = typeof found === 'object' && found !== null && Object.hasOwn(found, part);
    if (!inside) {
      const place = [name, ...parts.slice(0, index)].join('.');
      throw new TemplateError(`{{${[name, ...parts].join('.')}}}: '${place}' has no '${part}'`);
    }
    found = (found as Record<string, unknown>)[part];
  }
  return found;
}
