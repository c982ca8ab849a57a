/**
 * Undoes a Content-Encoding nobody asked for: we send `accept-encoding: identity`, some proxies compress all the same.
 * What comes out is counted by the sink, so a bomb is stopped at the sink's limit.
 */
import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';

/** The body's encoding is none we know, or its bytes are not in it. */
export class UndecodableError extends Error {
  override readonly name = 'UndecodableError';
}

export interface BodyDecoder {
  /** False: hold the source until `onDrain`. */
  write(chunk: Buffer): boolean;
  end(): void;
  /** Stops it; no callback comes after. */
  close(): void;
}

export interface DecoderCallbacks {
  onData(chunk: Buffer): void;
  onDrain(): void;
  onEnd(): void;
  onError(error: UndecodableError): void;
}

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};

/**
 * A decoder for a `content-encoding` value; null where there is nothing to undo.
 * @throws UndecodableError for an encoding it does not know.
 */
export function openDecoder(encoding: string | null, callbacks: DecoderCallbacks): BodyDecoder | null {
  const name = encoding?.trim().toLowerCase() ?? '';
  if (name === '' || name === 'identity') return null;
  const open = Object.hasOwn(DECODERS, name) ? DECODERS[name] : undefined;
  if (open === undefined) throw new UndecodableError(`The answer's content-encoding is '${name.slice(0, 40)}'`);
  const transform = open();
  let closed = false;
  transform.on('data', (chunk: Buffer) => closed || callbacks.onData(chunk));
  transform.on('drain', () => closed || callbacks.onDrain());
  transform.on('end', () => closed || callbacks.onEnd());
  transform.on('error', (error) => {
    if (!closed) callbacks.onError(new UndecodableError(`The answer is no valid ${name}: ${error.message}`));
  });
  return {
    write: (chunk) => transform.write(chunk),
    end: () => transform.end(),
    close: () => {
      closed = true;
      transform.destroy();
    },
  };
}
