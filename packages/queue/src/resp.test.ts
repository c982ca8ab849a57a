/** The wire protocol: whole replies out of any cut of the bytes, and nothing without bound. */
import { describe, expect, it } from 'vitest';
import { encodeCommand, MAX_REPLY_BYTES, type Reply, ReplyError, ReplyReader } from './resp.ts';

const ALL =
  '+OK\r\n-NOSCRIPT gone\r\n:-12\r\n$5\r\nä\r\nb\r\n$-1\r\n*-1\r\n*0\r\n*3\r\n:1\r\n$1\r\na\r\n*1\r\n+x\r\n$0\r\n\r\n';
const MEANT: Reply[] = ['OK', new ReplyError('NOSCRIPT gone'), -12, 'ä\r\nb', null, null, [], [1, 'a', ['x']], ''];

describe('replies', () => {
  it('are read in order, of every type', () => {
    const replies = new ReplyReader().read(Buffer.from(ALL));
    expect(replies).toEqual(MEANT);
    expect(replies[1]).toBeInstanceOf(ReplyError);
  });

  it('are the same wherever their bytes are cut', () => {
    const bytes = Buffer.from(ALL);
    for (let size = 1; size < bytes.length; size++) {
      const reader = new ReplyReader();
      const replies: Reply[] = [];
      for (let at = 0; at < bytes.length; at += size) replies.push(...reader.read(bytes.subarray(at, at + size)));
      expect(replies, `in pieces of ${size}`).toEqual(MEANT);
    }
  });

  it.each(['HTTP/1.1 400 Bad Request\r\n', ':twelve\r\n', '$1e9\r\n', '$1\r\nabc', '*1\r\n'.repeat(100)])(
    'refuse %j',
    (bytes) => {
      expect(() => new ReplyReader().read(Buffer.from(bytes))).toThrow();
    },
  );

  it.each(['+', '$999999999\r\n', '*999999999\r\n'])('that begin with %j and never end are refused', (begin) => {
    const reader = new ReplyReader();
    reader.read(Buffer.from(begin));
    const more = Buffer.alloc(MAX_REPLY_BYTES, begin.startsWith('*') ? ':1\r\n' : 'x');
    expect(() => reader.read(more)).toThrow('too large');
  });
});

it('a command is counted in bytes', () => {
  expect(encodeCommand(['ECHO', 'ä', ''])).toBe('*3\r\n$4\r\nECHO\r\n$2\r\nä\r\n$0\r\n\r\n');
});
