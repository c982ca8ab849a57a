/** What a place for files can do, and which one the configuration asks for. */
import { isAbsolute, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { type FilesConfig, TooLargeError } from '@millrace/core';
import { openFolder } from './folder.ts';

export interface Written {
  bytes: number;
}

export interface FileStorage {
  /**
   * Stores what comes, whole or not at all; a file of that name is replaced. Memory stays flat.
   * @param name of letters, digits, `_` and `-` only
   * @throws TooLargeError beyond `maxBytes`; whatever the source throws; an error of the disk or bucket
   */
  write(name: string, source: AsyncIterable<Uint8Array | string>, maxBytes?: number): Promise<Written>;
  /** @throws NotStoredError */
  read(name: string): Promise<Readable>;
  /** No error where there is none. */
  remove(name: string): Promise<void>;
  /** Names of files that were last written before this time (ms since 1970), for whoever looks for orphans. */
  olderThan(beforeMs: number): AsyncIterable<string>;
  close(): void;
}

/** There are no bytes of that name (any more). */
export class NotStoredError extends Error {
  override readonly name = 'NotStoredError';
}

/** Names are our own ids: nothing that could leave the folder is one. */
export function checkedName(name: string): string {
  if (!/^[A-Za-z0-9_-]{1,128}$/.test(name))
    throw new Error('a stored file has a name of letters, digits, _ and - only');
  return name;
}

/** Passes on what comes, up to so many bytes. */
export async function* bounded(
  source: AsyncIterable<Uint8Array | string>,
  maxBytes: number,
  count: Written,
): AsyncGenerator<Uint8Array> {
  for await (const piece of source) {
    const chunk = typeof piece === 'string' ? Buffer.from(piece) : piece;
    count.bytes += chunk.length;
    if (count.bytes > maxBytes) throw new TooLargeError(`The file is larger than ${maxBytes} bytes.`);
    yield chunk;
  }
}

/**
 * Opens the configured place. The folder is made when it is first written to; the S3 client is loaded when it is asked for.
 * @param dataFolder where files are kept if nothing is configured, in `files`
 */
export async function openFiles(config: FilesConfig, dataFolder: string): Promise<FileStorage> {
  if (config.s3 !== undefined) return (await import('./bucket.ts')).openBucket(config.s3);
  const folder = config.directory ?? join(dataFolder, 'files');
  return openFolder(isAbsolute(folder) ? folder : resolve(folder));
}
