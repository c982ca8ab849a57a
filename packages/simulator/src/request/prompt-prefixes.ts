/**
 * The prompt as a model is given it, in the order OpenAI caches it: instructions, tools, the answer's schema, input;
 * and its prefixes by their hashes. What is no text, an image say, is there by its digest.
 */
import { hash } from 'node:crypto';
import { isObject, type JsonObject } from '../json.ts';

/** No shorter prompt is cached, and each longer one in steps: OpenAI's documented numbers. */
export const MIN_CACHED_TOKENS = 1024;
export const CACHED_TOKENS_STEP = 128;

function json(value: unknown): string {
  return value === undefined || value === null ? '' : JSON.stringify(value);
}

function partText(part: unknown): string {
  if (!isObject(part)) return String(part ?? '');
  return typeof part.text === 'string' ? part.text : `[${hash('sha256', json(part))}]`;
}

function contentText(content: unknown): string {
  return Array.isArray(content) ? content.map(partText).join('\n') : partText(content);
}

/** Ids are left out: a client may send an item back with or without the one it was given. */
function itemText(item: unknown): string {
  if (!isObject(item)) return partText(item);
  if (typeof item.role === 'string') return `${item.role}: ${contentText(item.content)}`;
  if (item.type === 'function_call_output') return `output: ${contentText(item.output)}`;
  const { id: _id, status: _status, ...rest } = item;
  return json(rest);
}

/** The whole prompt as one text. */
export function promptText({ instructions, tools, text, input }: JsonObject): string {
  const format = isObject(text) && isObject(text.format) ? text.format : {};
  const items: unknown[] = Array.isArray(input) ? input : [{ role: 'user', content: input }];
  const parts = [typeof instructions === 'string' ? instructions : '', json(tools), json(format.schema)];
  return [...parts.filter(Boolean), ...items.map(itemText)].join('\n');
}

/** Hashes of the prompt's prefixes, shortest first: 1,024 tokens, 1,152 …; none of a shorter prompt. */
export function prefixHashes(prompt: string, charactersPerToken: number, place: string): string[] {
  const end = (tokens: number) => Math.floor(tokens * charactersPerToken);
  const hashes: string[] = [];
  let from = 0;
  let last = hash('sha256', place, 'base64');
  for (let tokens = MIN_CACHED_TOKENS; end(tokens) <= prompt.length; tokens += CACHED_TOKENS_STEP) {
    last = hash('sha256', `${last}${prompt.slice(from, end(tokens))}`, 'base64');
    hashes.push(last);
    from = end(tokens);
  }
  return hashes;
}
