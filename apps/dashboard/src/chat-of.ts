/**
 * A request's input, or what was answered, as messages: whatever anybody has put there becomes something that can be
 * shown, cut to what a page can hold.
 */
import { inputItemsOf } from '@millrace/core';
import {
  IMAGE_BYTES_SHOWN,
  INPUT_ITEMS,
  PAGE_CHARACTERS,
  PART_CHARACTERS,
  PARTS_SHOWN,
  TOOL_NAME_CHARACTERS,
} from './bounds.ts';
import { excerpt, oneLine } from './excerpt.ts';
import type { Chat, ChatItem, CutText, Part } from './views/job.ts';

/** What is left of what one page may hold. */
export interface Room {
  characters: number;
  /** Of one text. */
  partCharacters: number;
  imageBytes: number;
}

export function openRoom(): Room {
  return { characters: PAGE_CHARACTERS, partCharacters: PART_CHARACTERS, imageBytes: IMAGE_BYTES_SHOWN };
}

/** Tells something of which each text is to be shorter than elsewhere. */
export function inShort<T>(room: Room, partCharacters: number, tell: (room: Room) => T): T {
  const narrow = { ...room, partCharacters };
  const told = tell(narrow);
  Object.assign(room, { characters: narrow.characters, imageBytes: narrow.imageBytes });
  return told;
}

/** The first items, which set the scene, and the last, which are what it is about. */
export function chatOf(input: unknown, room: Room): Chat {
  const items = inputItemsOf(input);
  const half = INPUT_ITEMS / 2;
  if (items.length <= INPUT_ITEMS) return { items: items.map((item) => chatItem(item, room)), omitted: 0 };
  const shown = [...items.slice(0, half), ...items.slice(-half)];
  return { items: shown.map((item) => chatItem(item, room)), omitted: items.length - shown.length };
}

/** A text within the room that is left. */
export function cut(text: string, room: Room): CutText {
  const told = excerpt(text, Math.max(0, Math.min(room.partCharacters, room.characters)));
  room.characters -= told.text.length;
  return told;
}

export function chatItem(item: unknown, room: Room): ChatItem {
  const { type, role, content, name, call_id: callId, ...rest } = fieldsOf(item);
  if (type === 'function_call') {
    return {
      kind: 'call',
      name: word(name, TOOL_NAME_CHARACTERS),
      callId: word(callId),
      arguments: cut(textOf(rest['arguments']), room),
    };
  }
  if (type === 'function_call_output') {
    return { kind: 'told', callId: word(callId), output: cut(textOf(rest['output']), room) };
  }
  if (type === 'reasoning') return { kind: 'reasoning', text: cut(summaryOf(rest['summary']), room) };
  if ((type === undefined || type === 'message') && typeof role === 'string') {
    return { kind: 'message', role: word(role), parts: partsOf(content, room) };
  }
  return { kind: 'other', type: word(type ?? 'item'), json: cut(textOf(item), room) };
}

function partsOf(content: unknown, room: Room): Part[] {
  if (typeof content === 'string') return [{ kind: 'text', text: cut(content, room) }];
  if (!Array.isArray(content)) return [{ kind: 'other', type: 'content', json: cut(textOf(content), room) }];
  const parts = content.slice(0, PARTS_SHOWN).map((part) => partOf(part, room));
  const left = content.length - parts.length;
  if (left > 0) parts.push({ kind: 'file', about: `${left} more parts`, href: null });
  return parts;
}

function partOf(part: unknown, room: Room): Part {
  const fields = fieldsOf(part);
  const { type, text, refusal, image_url: image, file_id: fileId, filename, file_url: fileUrl } = fields;
  if (typeof text === 'string') return { kind: 'text', text: cut(text, room) };
  if (type === 'refusal' && typeof refusal === 'string') return { kind: 'text', text: cut(refusal, room) };
  if (type === 'input_image') return imagePart(image ?? fileId, room);
  if (type === 'input_file') {
    const about = [filename, fileId, fileUrl].filter((one) => typeof one === 'string').map(word);
    return { kind: 'file', about: about[0] ?? 'a file sent along', href: webAddress(fileUrl) };
  }
  return { kind: 'other', type: word(type ?? 'part'), json: cut(textOf(part), room) };
}

/** What browsers draw and nothing runs in: no SVG. */
const RASTER = /^data:image\/(png|jpe?g|gif|webp);base64,[A-Za-z0-9+/=\s]+$/;

/** An image that came with the request is shown; one that is elsewhere is named, as loading it would tell of the look. */
export function imagePart(image: unknown, room: Room): Part {
  const text = typeof image === 'string' ? image : '';
  const [kind = ''] = /^data:[^;,]{0,60}/.exec(text) ?? [];
  if (kind === '') return { kind: 'image', src: null, href: webAddress(text), about: excerpt(text, 200).text };
  const about = `${kind.slice('data:'.length)}, ${Math.ceil((text.length * 3) / 4 / 1024)} kB`;
  if (text.length > room.imageBytes || !RASTER.test(text)) return { kind: 'image', src: null, href: null, about };
  room.imageBytes -= text.length;
  return { kind: 'image', src: text, href: null, about };
}

function webAddress(url: unknown): string | null {
  return typeof url === 'string' && url.length <= 2048 && /^https?:\/\//i.test(url) ? url : null;
}

function summaryOf(summary: unknown): string {
  if (!Array.isArray(summary)) return '';
  return summary
    .map((part) => fieldsOf(part)['text'])
    .filter((text) => typeof text === 'string')
    .join('\n\n');
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value, null, 2) ?? '');
}

const WORD_CHARACTERS = 200;

/** A name or an id; what should be one may be anything. */
export function word(value: unknown, most = WORD_CHARACTERS): string {
  return oneLine(textOf(value ?? ''), most);
}
