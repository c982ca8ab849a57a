/**
 * Redis's wire protocol (RESP2, redis.io/docs/latest/develop/reference/protocol-spec), as far as plain commands and
 * their replies need it. A peer that sends something else, or without end, is an error and never memory.
 */

/** What Redis answers a command it refuses or cannot run. */
export class ReplyError extends Error {
  override readonly name = 'ReplyError';
}

export type Reply = string | number | null | ReplyError | Reply[];

/** A reply that has not ended by then is none that was asked for here: those are a few hundred bytes. */
export const MAX_REPLY_BYTES = 1024 * 1024;

/** Replies here are flat lists; deeper ones could only exhaust the stack. */
const MAX_DEPTH = 4;

const LINE_END = '\r\n';
const INTEGER = /^-?\d{1,15}$/;

/** A command and its arguments as Redis reads them. */
export function encodeCommand(parts: readonly string[]): string {
  return `*${parts.length}\r\n${parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`;
}

/** Reads the replies of one connection, however its bytes are cut. */
export class ReplyReader {
  #rest: Buffer = Buffer.alloc(0);

  /**
   * The replies that are complete with this chunk, in order.
   * @throws Error when this is no RESP2, or a reply is larger than MAX_REPLY_BYTES: the connection is of no more use.
   */
  read(chunk: Buffer): Reply[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const replies: Reply[] = [];
    let at = 0;
    for (let parsed = parse(bytes, at, 0); parsed !== null; parsed = parse(bytes, at, 0)) {
      replies.push(parsed.reply);
      at = parsed.end;
    }
    this.#rest = bytes.subarray(at);
    if (this.#rest.length > MAX_REPLY_BYTES) throw new Error('a reply is too large');
    return replies;
  }
}

/** The reply that begins at `at` and where it ends; null while it is incomplete. */
function parse(bytes: Buffer, at: number, depth: number): { reply: Reply; end: number } | null {
  const lineEnd = bytes.indexOf(LINE_END, at);
  if (lineEnd === -1) return null;
  const line = bytes.toString('utf8', at + 1, lineEnd);
  const end = lineEnd + LINE_END.length;
  switch (String.fromCharCode(bytes[at] ?? 0)) {
    case '+':
      return { reply: line, end };
    case '-':
      return { reply: new ReplyError(line), end };
    case ':':
      return { reply: integer(line), end };
    case '$':
      return parseText(bytes, integer(line), end);
    case '*':
      return parseList(bytes, integer(line), end, depth);
    default:
      throw new Error('this is no RESP2');
  }
}

function parseText(bytes: Buffer, length: number, at: number): { reply: Reply; end: number } | null {
  if (length < 0) return { reply: null, end: at };
  const textEnd = at + length;
  const end = textEnd + LINE_END.length;
  if (bytes.length < end) return null;
  if (bytes.toString('latin1', textEnd, end) !== LINE_END) throw new Error('this is no RESP2');
  return { reply: bytes.toString('utf8', at, textEnd), end };
}

function parseList(bytes: Buffer, count: number, at: number, depth: number): { reply: Reply; end: number } | null {
  if (count < 0) return { reply: null, end: at };
  if (depth === MAX_DEPTH) throw new Error('a reply is nested too deeply');
  const reply: Reply[] = [];
  let end = at;
  while (reply.length < count) {
    const item = parse(bytes, end, depth + 1);
    if (item === null) return null;
    reply.push(item.reply);
    end = item.end;
  }
  return { reply, end };
}

function integer(line: string): number {
  if (!INTEGER.test(line)) throw new Error('this is no RESP2');
  return Number(line);
}
