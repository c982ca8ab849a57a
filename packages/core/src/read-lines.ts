/**
 * Lines out of a byte stream with flat memory: a line is bounded, the body is not. An over-long line is reported once
 * and skipped, the lines after it are read as usual.
 */
import type { Readable, Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { InvalidRequestError } from './errors.ts';

/** `number` counts from 1, blank lines too. */
export type Line = { number: number } & ({ bytes: Buffer } | { tooLong: true });

const LINE_FEED = 10;
/** Pieces of a line before they are joined: a line that trickles in byte by byte must not cost 100 bytes each. */
const MOST_PIECES = 1024;

/**
 * The lines of `source`, blank ones left out, in arrays as they arrive together.
 * @param maxBytes the longest a line may be
 * @param encoding the Content-Encoding, if any
 * @throws InvalidRequestError for an encoding we do not know; zlib's errors for one that lies.
 */
export async function* readLines(source: Readable, maxBytes: number, encoding?: string): AsyncGenerator<Line[]> {
  let number = 0;
  let held: Buffer[] = [];
  /** The newest pieces of `held`, not joined yet. */
  let loose = 0;
  let heldBytes = 0;
  let skipping = false;
  const drop = (): void => {
    held = [];
    loose = 0;
    heldBytes = 0;
  };
  for await (const chunk of decoded(source, encoding) as AsyncIterable<Buffer>) {
    const lines: Line[] = [];
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, from)) {
      // One that is skipped was counted when it was found too long.
      if (!skipping) number++;
      if (skipping) skipping = false;
      else if (heldBytes + end - from > maxBytes) lines.push({ number, tooLong: true });
      else addLine(lines, number, Buffer.concat([...held, chunk.subarray(from, end)]));
      drop();
      from = end + 1;
    }
    if (!skipping && from < chunk.length) {
      held.push(chunk.subarray(from));
      loose++;
      heldBytes += chunk.length - from;
      if (loose === MOST_PIECES) {
        held.push(Buffer.concat(held.splice(-loose)));
        loose = 0;
      }
      if (heldBytes > maxBytes) {
        number++;
        lines.push({ number, tooLong: true });
        drop();
        skipping = true;
      }
    }
    if (lines.length > 0) yield lines;
  }
  const last: Line[] = [];
  if (!skipping) addLine(last, number + 1, Buffer.concat(held));
  if (last.length > 0) yield last;
}

function addLine(lines: Line[], number: number, bytes: Buffer): void {
  if (bytes.some((byte) => byte > 32)) lines.push({ number, bytes });
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

/** Unlike pipeline(), leaves the source open when the transform fails: it is a request that is still to be answered. */
function through(source: Readable, transform: Transform): Readable {
  source.once('error', (error) => transform.destroy(error));
  source.once('close', () => {
    if (!source.readableEnded) transform.destroy(new Error('The body broke off.'));
  });
  return source.pipe(transform);
}
