/** What can be read of a job: the words of its prompt and of its output, cut to a bound. */
import { type Answer, type ExtractBody, inputItemsOf, type Job, type ResponsesBody } from '@millrace/core';
import { excerpt } from '../excerpt.ts';

/** The prompt: what was asked, without images and other data. */
export function promptOf({ type, body }: Pick<Job, 'type' | 'body'>, most: number): string {
  const parts = type === 'extract' ? partsOfExtract(body as ExtractBody) : partsOfRequest(body as ResponsesBody);
  return joined(parts, most);
}

/** The output's text. */
export function outputOf(answer: Answer | null, most: number): string {
  return typeof answer?.output_text === 'string' ? joined([answer.output_text], most) : '';
}

function* partsOfExtract({ document, instructions }: ExtractBody): Generator<unknown> {
  yield document;
  yield instructions;
}

function* partsOfRequest({ input, instructions }: ResponsesBody): Generator<unknown> {
  // What differs between jobs first: instructions are often the same for all of them, and long.
  for (const item of inputItemsOf(input)) {
    if (item === null || typeof item !== 'object') continue;
    for (const field of [item.content, item.output, item.arguments]) {
      if (!Array.isArray(field)) yield field;
      else for (const part of field) yield (part as { text?: unknown } | null)?.text;
    }
  }
  yield instructions;
}

function joined(parts: Iterable<unknown>, most: number): string {
  let text = '';
  for (const part of parts) {
    if (typeof part !== 'string' || part === '') continue;
    const start = text === '' ? '' : `${text}\n`;
    text = `${start}${excerpt(part, Math.max(0, most - start.length)).text}`;
    if (text.length >= most) break;
  }
  return excerpt(text, most).text.replaceAll('\0', ' ');
}
