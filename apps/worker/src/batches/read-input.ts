/** The requests of a batch's input, line by line, with flat memory. */
import {
  type BatchLine,
  InvalidRequestError,
  type Line,
  type parseBatchLine,
  readLines,
  refuseRemembered,
  TooLargeError,
} from '@millrace/core';
import type { FileStorage } from '@millrace/files';
import type { Batch, Store } from '@millrace/queue';

/** One line, inflated. As large as a request may be. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
const BYTE_ORDER_MARK = '\ufeff';

export interface InputLine {
  /** From 1, as an editor counts. */
  number: number;
  /** The request, or what is wrong with the line. */
  parsed: BatchLine | InvalidRequestError;
}

/**
 * @param read what to make of a line: `parseBatchLine`, or `readCheckedLine` once all were found to be right
 * @throws NotStoredError when the file is gone; whatever keeps it from being read
 */
export async function* readInput(
  store: Store,
  files: FileStorage,
  batch: Batch,
  read: typeof parseBatchLine,
): AsyncGenerator<InputLine> {
  const settings = store.config.queues[batch.queue.name];
  const extraFields = store.config.upstreams[settings?.upstream ?? '']?.extraFields ?? [];
  const source = await files.read(batch.input_file_id);
  try {
    for await (const lines of readLines(source, MAX_LINE_BYTES)) {
      for (const line of lines) {
        const parsed = parse(line, (text) => {
          const checked = read(text, batch.endpoint, extraFields);
          refuseRemembered(store.config, batch.queue.name, checked.request, 'body');
          return checked;
        });
        yield { number: line.number, parsed };
      }
    }
  } finally {
    source.destroy();
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function parse(line: Line, read: (text: string) => BatchLine): BatchLine | InvalidRequestError {
  try {
    if ('tooLong' in line) throw new TooLargeError(`The line is larger than ${MAX_LINE_BYTES} bytes.`);
    const text = decode(line.bytes);
    return read(line.number === 1 && text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text);
  } catch (error) {
    if (error instanceof InvalidRequestError) return error;
    throw error;
  }
}

function decode(bytes: Buffer): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new InvalidRequestError('The line is not valid UTF-8.', null, 'bad_encoding');
  }
}
