/**
 * What a request shares with others of its kind, and the `prompt_cache_key` made of it: requests that begin alike are
 * sent to where their beginning is cached. Nothing of the one document or question is in it.
 */
import { hash } from 'node:crypto';
import type { ResponsesBody } from './job.ts';

/** No shorter prompt is cached: OpenAI's documented number, at its four characters a token. */
const LEAST_TOKENS = 1024;
const CHARACTERS_PER_TOKEN = 4;
const HEX_DIGITS = 32;

/**
 * Instructions, tools, the answer's schema, and the developer and system messages that the input begins with; tools as
 * they are sent, so with what they are registered with. Null: it has none of them.
 */
export function promptPrefix(body: ResponsesBody): string | null {
  const { instructions, tools, text, input } = body;
  const parts = [
    typeof instructions === 'string' && instructions !== '' ? instructions : null,
    Array.isArray(tools) && tools.length > 0 ? tools : null,
    schemaFormat(text),
    leadingMessages(input),
  ];
  // As it is sent, byte for byte: the same fields in another order are another prefix upstream too.
  return parts.every((part) => part === null) ? null : JSON.stringify(parts);
}

/** The key of a prefix: `mr-` and 32 hex digits. */
export function promptCacheKey(prefix: string): string {
  return `mr-${hash('sha256', prefix).slice(0, HEX_DIGITS)}`;
}

/** Whether a prompt that begins so is long enough to be cached upstream. */
export function isCacheable(prefix: string): boolean {
  return prefix.length >= LEAST_TOKENS * CHARACTERS_PER_TOKEN;
}

function schemaFormat(text: unknown): unknown {
  const format = (text as { format?: { type?: unknown } | null } | null | undefined)?.format;
  return format?.type === 'json_schema' ? format : null;
}

function leadingMessages(input: unknown): unknown[] | null {
  if (!Array.isArray(input)) return null;
  const first = input.findIndex((item) => item?.role !== 'developer' && item?.role !== 'system');
  const leading = first < 0 ? input : input.slice(0, first);
  return leading.length === 0 ? null : leading.map(({ role, content }) => [role, content]);
}
