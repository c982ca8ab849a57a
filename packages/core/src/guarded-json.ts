/**
 * JSON from outside becomes a value that is safe to walk: never nested deeper than MAX_JSON_DEPTH, never with a
 * `__proto__` key. The depth is known before JSON.parse runs, which would spend a second and 300 MB on 5 MB of `[`.
 */

import { InvalidRequestError } from './errors.ts';

/** Containers inside one another. The deepest a request needs is a strict schema (10 levels, each two or three here). */
export const MAX_JSON_DEPTH = 64;

/** How much of the way to a too deep value is shown: enough to find it, short enough for a log line. */
const MAX_PATH_CHARACTERS = 120;

/** A key can only spell `__proto__` as itself or with an escape below U+0100; text without either needs no walk. */
const MAY_HOLD_PROTO = /__proto__|\\u00/;

const COULD_NOT_PARSE = 'We could not parse the JSON body of your request';
const INVALID_JSON = 'invalid_json';

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const BACKSLASH = 92;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

/** One open container: where we are in it, kept as positions so that a path costs nothing until it is shown. */
interface Level {
  isArray: boolean;
  index: number;
  keyStart: number;
  keyEnd: number;
}

/**
 * Parses a body, a line of NDJSON, or any JSON that a caller sent.
 *
 * @throws InvalidRequestError (`invalid_json`) when it is no JSON, nested deeper than MAX_JSON_DEPTH, or has a
 * `__proto__` key at any depth, escaped or not.
 */
export function parseGuardedJson(text: string): unknown {
  refuseDepth(text);
  const value = parse(text);
  if (MAY_HOLD_PROTO.test(text)) refuseProtoKeys(value);
  return value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new InvalidRequestError(`${COULD_NOT_PARSE}: ${why}.`, null, INVALID_JSON);
  }
}

/** Reads brackets only. On malformed text it may stop early or miss a fault: JSON.parse is the judge of syntax. */
function refuseDepth(text: string): void {
  const levels: Level[] = [];
  let depth = 0;
  let stringStart = 0;
  let stringEnd = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE: {
        const end = endOfString(text, at);
        if (end === -1) return;
        stringStart = at + 1;
        stringEnd = end;
        at = end;
        break;
      }
      case OPEN_BRACKET:
      case OPEN_BRACE: {
        if (depth === MAX_JSON_DEPTH) throw tooDeep(text, levels, at);
        const isArray = text.charCodeAt(at) === OPEN_BRACKET;
        const level = levels[depth];
        if (level === undefined) levels.push({ isArray, index: 0, keyStart: 0, keyEnd: 0 });
        else {
          level.isArray = isArray;
          level.index = 0;
        }
        depth++;
        break;
      }
      case CLOSE_BRACKET:
      case CLOSE_BRACE:
        if (depth === 0) return;
        depth--;
        break;
      case COMMA: {
        const level = levels[depth - 1];
        if (level !== undefined) level.index++;
        break;
      }
      case COLON: {
        const level = levels[depth - 1];
        if (level !== undefined) {
          level.keyStart = stringStart;
          level.keyEnd = stringEnd;
        }
        break;
      }
    }
  }
}

/** Place of the closing quote, or -1. Jumps from quote to quote, so a long prompt costs next to nothing. */
function endOfString(text: string, open: number): number {
  for (let quote = text.indexOf('"', open + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(quote - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return quote;
  }
  return -1;
}

function tooDeep(text: string, levels: readonly Level[], position: number): InvalidRequestError {
  let path = '';
  for (const level of levels) {
    if (path.length > MAX_PATH_CHARACTERS) break;
    path = level.isArray
      ? `${path}[${level.index}]`
      : `${path}${path === '' ? '' : '.'}${text.slice(level.keyStart, level.keyEnd)}`;
  }
  const shown = path.length > MAX_PATH_CHARACTERS ? `${path.slice(0, MAX_PATH_CHARACTERS)}…` : path;
  return new InvalidRequestError(
    `${COULD_NOT_PARSE}: it is nested deeper than ${MAX_JSON_DEPTH} levels at position ${position}, below '${shown}'.`,
    null,
    INVALID_JSON,
  );
}

/** Never recursive: what guards against hostile nesting must not itself depend on the stack. */
function refuseProtoKeys(root: unknown): void {
  const waiting: unknown[] = [root];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (typeof next !== 'object' || next === null) continue;
    if (Object.hasOwn(next, '__proto__')) {
      throw new InvalidRequestError(`${COULD_NOT_PARSE}: the key '__proto__' is not allowed.`, null, INVALID_JSON);
    }
    for (const member of Array.isArray(next) ? next : Object.values(next)) {
      if (typeof member === 'object') waiting.push(member);
    }
  }
}
