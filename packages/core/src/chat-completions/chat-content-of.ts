/** Content parts in Chat Completions' names. What a part carries beside them goes along: the upstream judges it. */

import { isJsonObject, type JsonObject, pathTo } from '../responses-request-fault.ts';
import type { SentPart, TextPart } from './chat-request-body.ts';
import { NoChatCounterpart, neededString, refuseOtherFields } from './no-chat-counterpart.ts';

/** A part of no `image_url` (it names a file) or with a `file_url` is one that Chat Completions cannot be given. */
const IMAGE_FIELDS: ReadonlySet<string> = new Set(['type', 'image_url', 'detail', 'prompt_cache_breakpoint']);
const FILE_FIELDS: ReadonlySet<string> = new Set([
  'type',
  'file_data',
  'file_id',
  'filename',
  'prompt_cache_breakpoint',
]);

/**
 * The content of a user's message.
 *
 * @throws NoChatCounterpart for the first part that cannot be kept; `path` is that of the content.
 */
export function userContentOf(content: unknown, path: string): string | SentPart[] {
  return typeof content === 'string' ? content : partsIn(content, path).map(([part, at]) => sentPartOf(part, at));
}

/**
 * The content of a system or developer message, or of a tool's answer: text alone.
 *
 * @throws NoChatCounterpart for the first part that is no text; `path` is that of the content.
 */
export function textContentOf(content: unknown, path: string): string | TextPart[] {
  if (typeof content === 'string') return content;
  return partsIn(content, path).map(([part, at]) => {
    if (part.type !== 'input_text') throw new NoChatCounterpart(at);
    return inputTextOf(part, at);
  });
}

/**
 * What the model had answered: its texts, and its refusals joined. A lone text is a string, which every server takes.
 *
 * @throws NoChatCounterpart for the first part that cannot be kept; `path` is that of the content.
 */
export function answeredContentOf(
  content: unknown,
  path: string,
): { content: string | TextPart[] | null; refusal?: string } {
  if (typeof content === 'string') return { content };
  const texts: TextPart[] = [];
  const refusals: string[] = [];
  for (const [part, at] of partsIn(content, path)) {
    if (part.type === 'refusal') refusals.push(neededString(part, 'refusal', at));
    else if (part.type === 'output_text' || part.type === 'input_text') {
      texts.push({ type: 'text', text: neededString(part, 'text', at) });
    } else throw new NoChatCounterpart(at);
  }
  const [first] = texts;
  const spoken = texts.length === 1 && first !== undefined ? first.text : texts;
  return {
    content: texts.length === 0 ? null : spoken,
    ...(refusals.length > 0 && { refusal: refusals.join('') }),
  };
}

function partsIn(content: unknown, path: string): [part: JsonObject, at: string][] {
  if (!Array.isArray(content)) throw new NoChatCounterpart(path);
  return content.map((part: unknown, index) => {
    const at = pathTo(path, index);
    if (!isJsonObject(part)) throw new NoChatCounterpart(at);
    return [part, at];
  });
}

function sentPartOf(part: JsonObject, path: string): SentPart {
  switch (part.type) {
    case 'input_text':
      return inputTextOf(part, path);
    case 'input_image': {
      refuseOtherFields(part, IMAGE_FIELDS, path);
      const { type: _, image_url: __, detail, ...rest } = part;
      const url = neededString(part, 'image_url', path);
      return { ...rest, type: 'image_url', image_url: { url, ...(detail != null && { detail }) } } as SentPart;
    }
    case 'input_file': {
      refuseOtherFields(part, FILE_FIELDS, path);
      const { type: _, prompt_cache_breakpoint: breakpoint, ...named } = part;
      const file = Object.fromEntries(Object.entries(named).filter(([, value]) => value != null));
      return { type: 'file', file, ...(breakpoint != null && { prompt_cache_breakpoint: breakpoint }) } as SentPart;
    }
    case 'input_audio':
      return part as SentPart & JsonObject;
    default:
      throw new NoChatCounterpart(path);
  }
}

function inputTextOf(part: JsonObject, path: string): TextPart {
  return { ...part, type: 'text', text: neededString(part, 'text', path) };
}
