/** What an error answer says, read out of whichever shape the server uses; a page becomes a short note. */
import { isObject, parseJson } from './json.ts';

/** An upstream's message is kept whole up to this many characters: job records and logs carry it. */
export const MAX_MESSAGE_CHARS = 4000;

/** Of plain text or a page, enough to recognise it. */
const MAX_NOTE_CHARS = 300;

/** FastAPI names every fault of a request; a person reads the first few. */
const MAX_LISTED = 5;

export interface ErrorWords {
  message: string;
  /** The upstream's own. */
  code: string | null;
  /** The upstream's own; OpenAI has `insufficient_quota` here when `code` is null. */
  type: string | null;
  param: string | null;
}

/** Reads an error body; `otherwise` is the message for a body that says nothing. */
export function errorWordsOf(body: string, contentType: string | null, otherwise: string): ErrorWords {
  const value = parseJson(body);
  if (typeof value === 'object' && value !== null) return errorWords(value, otherwise);
  return { message: clip(noteOf(body, contentType) ?? otherwise), code: null, type: null, param: null };
}

/** Reads a parsed error: OpenAI's, Ollama's `{error: "…"}`, vLLM's, FastAPI's `{detail}`, problem+json, or none. */
export function errorWords(value: unknown, otherwise: string): ErrorWords {
  const outer: Record<string, unknown> = isObject(value) ? value : {};
  const inner = isObject(outer['error']) ? outer['error'] : outer;
  const message =
    text(inner['message']) ??
    text(outer['error']) ??
    text(outer['message']) ??
    detailOf(outer['detail']) ??
    detailOf(outer['errors']) ??
    text(outer['error_description']) ??
    text(outer['title']) ??
    text(value) ??
    otherwise;
  return {
    message: clip(message),
    code: clipped(text(inner['code'])),
    // An event's own `type: "error"` names the event, not the error.
    type: inner['type'] === 'error' ? null : clipped(text(inner['type'])),
    param: clipped(text(inner['param'])),
  };
}

/** A short note on text that is no JSON: a page's title, or how the text begins; null when it is empty. */
export function noteOf(body: string, contentType: string | null): string | null {
  const start = body.slice(0, 64 * 1024).trim();
  if (start === '') return null;
  if (contentType?.includes('html') || /^<(!doctype|html|head|body)\b/i.test(start)) {
    const title = /<title[^>]{0,200}>([^<]{1,300})/i.exec(start)?.[1]?.trim();
    return title ? `an HTML page: ${oneLine(title)}` : 'an HTML page';
  }
  return oneLine(start);
}

/** Cut to MAX_MESSAGE_CHARS, visibly. */
export function clip(message: string): string {
  return message.length <= MAX_MESSAGE_CHARS ? message : `${message.slice(0, MAX_MESSAGE_CHARS - 1)}…`;
}

function clipped(name: string | null): string | null {
  return name === null ? null : name.slice(0, MAX_NOTE_CHARS);
}

function oneLine(value: string): string {
  const line = value.slice(0, MAX_NOTE_CHARS * 4).replace(/\s+/g, ' ');
  return line.length <= MAX_NOTE_CHARS ? line : `${line.slice(0, MAX_NOTE_CHARS - 1)}…`;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value : null;
}

/** FastAPI: `"Not Found"`, or a list of `{loc: ["body", "model"], msg}`; elsewhere a list of `{message}`. */
function detailOf(detail: unknown): string | null {
  if (!Array.isArray(detail)) return text(detail);
  const listed = detail.slice(0, MAX_LISTED).flatMap((item): string[] => {
    if (!isObject(item)) return text(item) === null ? [] : [String(item)];
    const problem = text(item['msg']) ?? text(item['message']);
    if (problem === null) return [];
    const place = Array.isArray(item['loc']) ? item['loc'].filter((step) => typeof step !== 'object').join('.') : '';
    return [place === '' ? problem : `${place}: ${problem}`];
  });
  const more = detail.length > MAX_LISTED ? `; and ${detail.length - MAX_LISTED} more` : '';
  return listed.length === 0 ? null : listed.join('; ') + more;
}
