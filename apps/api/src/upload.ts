/**
 * A multipart upload, streamed: its fields and its one file, whatever their order. The file's bytes go where `take`
 * sends them while they come; nothing of the whole is held in memory.
 */
import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy';
import { InvalidRequestError } from '@millrace/core';
import type { Request } from 'express';

/** No byte for so long: the upload is given up. */
const PAUSE_MS = 30_000;
const FIELD_BYTES = 4096;
const FIELDS = 20;

export interface Upload<T> {
  filename: string;
  contentType: string;
  fields: ReadonlyMap<string, string>;
  taken: T;
}

/**
 * @param take is given the file; what it throws ends the upload
 * @throws InvalidRequestError for what is no upload of one file; whatever `take` throws
 */
export function readUpload<T>(request: Request, take: (file: BusboyFileStream) => Promise<T>): Promise<Upload<T>> {
  const type = request.headers['content-type'] ?? '';
  if (!/^multipart\/form-data\s*;.*boundary=/i.test(type)) {
    throw new InvalidRequestError(
      'A file is uploaded as multipart/form-data with the fields purpose and file.',
      null,
      'unsupported_media_type',
    );
  }
  if (request.headers['content-encoding'] !== undefined) {
    throw new InvalidRequestError('An upload cannot have a Content-Encoding.', null, 'unsupported_encoding');
  }
  return new Promise((resolve, reject) => {
    const parser = openParser(request, type);
    const fields = new Map<string, string>();
    let filename = '';
    let contentType = '';
    let taking: Promise<T> | null = null;
    let over = false;
    const pause = setTimeout(() => request.destroy(), PAUSE_MS);
    const onData = (): void => {
      pause.refresh();
    };
    const end = (): void => {
      over = true;
      clearTimeout(pause);
      request.off('data', onData);
      request.unpipe(parser);
    };
    let current: BusboyFileStream | null = null;
    const fail = (error: unknown): void => {
      if (over) return;
      end();
      // Whoever takes the file hears that it does not end.
      current?.destroy(error instanceof Error ? error : new Error(String(error)));
      (taking ?? Promise.resolve()).catch(() => undefined).then(() => reject(error));
    };
    parser.on('field', (name, value, _nameCut, cut) => {
      if (cut) return fail(invalid(name, `'${name.slice(0, 80)}' is longer than ${FIELD_BYTES} bytes.`));
      if (fields.has(name)) return fail(invalid(name, `'${name.slice(0, 80)}' is given twice.`));
      fields.set(name, value);
    });
    parser.on('file', (name, stream, sent, _encoding, type) => {
      stream.on('error', () => undefined);
      // What comes in the same piece as that for which it was refused.
      if (over) return stream.resume();
      if (name !== 'file' || taking !== null) {
        stream.resume();
        return fail(
          name === 'file'
            ? invalid('file', 'There is more than one file. Upload them one by one.')
            : invalid(name, `There is no file field '${name.slice(0, 80)}'; the file's field is 'file'.`),
        );
      }
      filename = sent ?? '';
      contentType = type;
      current = stream;
      taking = take(stream);
      taking.catch(fail);
    });
    for (const [event, what] of [
      ['partsLimit', 'parts'],
      ['fieldsLimit', 'fields'],
      ['filesLimit', 'files'],
    ] as const) {
      parser.on(event, () => fail(invalid(null, `The upload has too many ${what}.`)));
    }
    parser.on('error', () => fail(invalid(null, 'The body is no well-formed multipart/form-data.')));
    parser.on('finish', async () => {
      if (over) return;
      try {
        const taken = taking === null ? null : { value: await taking };
        if (over) return;
        end();
        if (taken === null) return reject(missing('file'));
        resolve({ filename, contentType, fields, taken: taken.value });
      } catch (error) {
        fail(error);
      }
    });
    request.on('data', onData);
    const cut = (): void => fail(invalid(null, 'The upload ended before its last boundary.', 'incomplete_body'));
    request.on('aborted', cut);
    request.on('error', cut);
    request.pipe(parser);
  });
}

function openParser(request: Request, type: string): BusboyInstance {
  try {
    return new Busboy({
      headers: { ...request.headers, 'content-type': type },
      limits: { fields: FIELDS, fieldSize: FIELD_BYTES, fieldNameSize: 200, files: 2, parts: FIELDS + 2 },
    });
  } catch {
    throw new InvalidRequestError('The multipart boundary is missing or malformed.', null, 'bad_encoding');
  }
}

export function missing(field: string): InvalidRequestError {
  return new InvalidRequestError(`Missing required parameter: '${field}'.`, field, 'missing_required_parameter');
}

function invalid(param: string | null, message: string, code = 'invalid_value'): InvalidRequestError {
  return new InvalidRequestError(message, param?.slice(0, 80) ?? null, code);
}
