/**
 * Lines out of a byte stream with flat memory: a line is bounded, the body is not. An over-long line is reported once
 * and skipped, the lines after it are read as usual.
 */
import { pipeline, type Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { InvalidRequestError } from '@millrace/core';
import { MAX_REQUEST_BYTES } from './bounds.ts';

export type Line = { bytes: Buffer } | { tooLong: true };

const LINE_FEED = 10;

/**
 * The lines of `source`, blank ones left out, in arrays as they arrive together.
 * @param encoding the Content-Encoding, if any
 * @throws InvalidRequestError for an encoding we do not know; zlib's errors for one that lies.
 */
export async function* readLines(source: Readable, encoding: string | undefined): AsyncGenerator<Line[]> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let skipping = false;
  for await (const chunk of decoded(source, encoding) as AsyncIterable<Buffer>) {
    const lines: Line[] = [];
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, from)) {
      if (skipping) skipping = false;
      else if (heldBytes + end - from > MAX_REQUEST_BYTES) lines.push({ tooLong: true });
      else addLine(lines, Buffer.concat([...held, chunk.subarray(from, end)]));
      held = [];
      heldBytes = 0;
      from = end + 1;
    }
    if (!skipping && from < chunk.length) {
      held.push(chunk.subarray(from));
      heldBytes += chunk.length - from;
      if (heldBytes > MAX_REQUEST_BYTES) {
        lines.push({ tooLong: true });
        held = [];
        heldBytes = 0;
        skipping = true;
      }
    }
    if (lines.length > 0) yield lines;
  }
  const last: Line[] = [];
  if (!skipping) addLine(last, Buffer.concat(held));
  if (last.length > 0) yield last;
}

function addLine(lines: Line[], bytes: Buffer): void {
  if (bytes.some((byte) => byte > 32)) lines.push({ bytes });
}

function decoded(source: Readable, encoding: string | undefined): Readable {
  switch (encoding?.trim().toLowerCase() ?? 'identity') {
    case 'identity':
    case '':
      return source;
    case 'gzip':
      return through(source, createGunzip());
    case 'deflate':
      return through(source, createInflate());
    case 'br':
      return through(source, createBrotliDecompress());
    default:
      throw new InvalidRequestError(
        'Content-Encoding must be gzip, deflate, br or absent.',
        null,
        'unsupported_encoding',
      );
  }
}

function through<T extends NodeJS.ReadWriteStream>(source: Readable, transform: T): Readable & T {
  // The error reaches the reader through the transform, which pipeline destroys with it.
  pipeline(source, transform, () => undefined);
  return transform as Readable & T;
}
