/** What a job asks for: instructions and conversation as text, everything else as JSON. */
import type { ExtractBody, Job } from '@millrace/core';
import { IMAGE_URL_CHARACTERS, INPUT_ITEMS } from '../bounds.ts';
import { excerpt } from '../excerpt.ts';
import { formatCount } from '../format.ts';
import { type Html, html } from '../html.ts';
import { jsonBlock, textBlock } from './text-block.ts';

/** The input of a job, in the order in which a model reads it. */
export function jobInput(job: Job, rawHref: string): Html {
  return job.type === 'extract'
    ? extractInput(job.body as ExtractBody, rawHref)
    : generateInput(job.body as Record<string, unknown>, rawHref);
}

function extractInput(body: ExtractBody, rawHref: string): Html {
  const schema =
    typeof body.schema === 'string'
      ? textBlock('Schema (of the configuration)', body.schema, rawHref)
      : jsonBlock('Schema', body.schema, rawHref);
  return html`${body.instructions === undefined ? null : textBlock('Instructions', body.instructions, rawHref)}
${body.document === undefined ? null : textBlock('Document', String(body.document), rawHref)}
${body.images === undefined ? null : textBlock('Images', imageLines(body.images), rawHref)}${schema}`;
}

/** The beginning of each one's URL: images are named, and never fetched by the page. */
function imageLines(images: readonly string[]): string {
  return images.map((image) => excerptOf(image)).join('\n');
}

function excerptOf(image: string): string {
  const { text, omitted } = excerpt(image, IMAGE_URL_CHARACTERS);
  return omitted === 0 ? text : `${text}… (${formatCount(omitted)} more characters)`;
}

function generateInput(body: Record<string, unknown>, rawHref: string): Html {
  const { instructions, input, ...rest } = body;
  const items = Array.isArray(input) ? input : [];
  return html`${typeof instructions === 'string' && textBlock('Instructions', instructions, rawHref)}
${typeof input === 'string' && textBlock('Input', input, rawHref)}
${items.slice(0, INPUT_ITEMS).map((item) => inputItem(item, rawHref))}
${items.length > INPUT_ITEMS && html`<p class="cut">${formatCount(items.length - INPUT_ITEMS)} more items: <a href="${rawHref}">all of it as JSON</a>.</p>`}
${Object.keys(rest).length > 0 && jsonBlock('Other fields', rest, rawHref)}`;
}

/** A message as its text, where it is nothing but text; any other item as JSON. */
function inputItem(item: unknown, rawHref: string): Html {
  const { role, content } = (item ?? {}) as { role?: unknown; content?: unknown };
  if (typeof role !== 'string') return jsonBlock('Item', item, rawHref);
  const title = `Message of ${role.slice(0, 40)}`;
  const text = typeof content === 'string' ? content : onlyTexts(content);
  return text === null ? jsonBlock(title, content ?? null, rawHref) : textBlock(title, text, rawHref);
}

/** The joined texts of a content list, or null when there is anything else in it. */
function onlyTexts(content: unknown): string | null {
  if (!Array.isArray(content)) return null;
  const texts: string[] = [];
  for (const part of content) {
    const text: unknown = (part as { text?: unknown } | null)?.text;
    if (typeof text !== 'string') return null;
    texts.push(text);
  }
  return texts.join('\n\n');
}
