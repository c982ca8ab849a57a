/** /v1/files: files for batches, and their results. Those of other purposes live upstream. */
import { ConflictError, type FilesConfig, InvalidRequestError, TooLargeError } from '@millrace/core';
import { type FileStorage, NotStoredError } from '@millrace/files';
import {
  addFile,
  type FileRecord,
  type FilesQuery,
  listFiles,
  newFileId,
  noSuchFile,
  openBatchOfFile,
  readFile,
  removeFile,
  type Store,
} from '@millrace/queue';
import { type Request, type Response, Router } from 'express';
import { multipartOf } from './multipart.ts';
import type { PassingOn, Replaced } from './pass-on.ts';
import { discard } from './read-body.ts';
import { missing, readUpload } from './upload.ts';

/** Passes a request on to the upstream, as it is, or with another body. */
export type PassOn = PassingOn['pass'];

const PURPOSES: ReadonlySet<string> = new Set(['batch', 'batch_output']);
/** Purposes of files that live upstream. */
export const UPSTREAM_PURPOSES: ReadonlySet<string> = new Set([
  ...['assistants', 'fine-tune', 'vision', 'user_data', 'evals'],
]);
const PAGE_MOST = 10_000;
/** As OpenAI has it. */
const EXPIRES_SECONDS = { least: 3600, most: 2_592_000 };
const FILENAME_CHARACTERS = 255;

export function filesRoutes(store: Store, storage: FileStorage, passOn: PassOn | null): Router {
  const routes = Router();
  const { guard } = store.liveness;
  const { files: settings } = store.config;

  routes.post('/', async (request, response) => {
    const announced = request.get('content-length');
    try {
      if (announced !== undefined && Number(announced) > settings.maxBytes + 65_536) throw tooLarge(settings);
      const file = await upload(
        store,
        storage,
        request,
        passOn === null ? null : (body) => passOn(request, response, body),
      );
      if (file !== null) response.json(fileView(file));
    } catch (error) {
      discard(request);
      throw error;
    }
  });

  routes.get('/', async (request, response) => {
    const { purpose } = request.query;
    if (passOn !== null && typeof purpose === 'string' && UPSTREAM_PURPOSES.has(purpose)) {
      return passOn(request, response);
    }
    const page = await guard(() => listFiles(store, listQuery(request)));
    response.json({
      object: 'list',
      data: page.files.map(fileView),
      first_id: page.files[0]?.id ?? null,
      last_id: page.files.at(-1)?.id ?? null,
      has_more: page.hasMore,
    });
  });

  /** What is not here may be upstream. */
  const found = async (request: Request<{ id: string }>, response: Response): Promise<FileRecord | null> => {
    const file = await guard(() => readFile(store, request.params.id));
    if (file !== null) return file;
    if (passOn === null) throw noSuchFile(request.params.id);
    await passOn(request, response);
    return null;
  };

  routes.get('/:id', async (request, response) => {
    const file = await found(request, response);
    if (file !== null) response.json(fileView(file));
  });

  routes.get('/:id/content', async (request, response) => {
    const file = await found(request, response);
    if (file === null) return;
    const stream = await storage.read(file.id).catch((error: unknown) => {
      throw error instanceof NotStoredError ? noSuchFile(file.id) : error;
    });
    response.set({
      'content-type': 'application/octet-stream',
      'content-length': String(file.bytes),
      'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(file.filename)}`,
    });
    response.on('close', () => stream.destroy());
    stream.on('error', () => response.destroy());
    stream.pipe(response);
  });

  routes.delete('/:id', async (request, response) => {
    const file = await found(request, response);
    if (file === null) return;
    const batch = await guard(() => openBatchOfFile(store, file.id));
    if (batch !== null) {
      // Its requests are read from it once more when those that were never made are told.
      throw new ConflictError(
        `The file ${file.id} is the input of the batch ${batch}, which has not ended: cancel it first, or wait.`,
        'id',
        'file_in_use',
      );
    }
    await guard(() => removeFile(store, file.id));
    await storage.remove(file.id);
    response.json({ id: file.id, object: 'file', deleted: true });
  });
  return routes;
}

/**
 * The record of what was uploaded; null where it was passed on, because files of its purpose live upstream. Which those
 * are is often said after the file, so its bytes are stored here in between.
 * @throws InvalidRequestError; nothing is stored then
 */
async function upload(
  store: Store,
  storage: FileStorage,
  request: Request,
  passOn: ((body: Replaced) => Promise<void>) | null,
): Promise<FileRecord | null> {
  const { files: settings } = store.config;
  const { guard } = store.liveness;
  const id = newFileId();
  const take = async (stream: AsyncIterable<Uint8Array>): Promise<number> => {
    try {
      return (await storage.write(id, stream, settings.maxBytes)).bytes;
    } catch (error) {
      throw error instanceof TooLargeError ? tooLarge(settings) : error;
    }
  };
  try {
    const uploaded = await readUpload(request, take);
    const { filename, fields, taken: bytes } = uploaded;
    const purpose = fields.get('purpose');
    if (purpose === undefined) throw missing('purpose');
    if (passOn !== null && UPSTREAM_PURPOSES.has(purpose)) {
      await passOn(multipartOf(uploaded, await storage.read(id)));
      await storage.remove(id);
      return null;
    }
    checkPurpose(purpose);
    if (bytes === 0) throw new InvalidRequestError('The file is empty.', 'file', 'invalid_value');
    const created = Date.now();
    const seconds = expiresSeconds(fields) ?? settings.retentionSeconds;
    const file: FileRecord = {
      ...{ id, purpose, bytes, filename: safeName(filename) },
      ...{ created_at: created, expires_at: Math.round(created + seconds * 1000) },
    };
    await guard(() => addFile(store, file));
    return file;
  } catch (error) {
    await storage.remove(id);
    throw error;
  }
}

function checkPurpose(purpose: string): void {
  if (purpose === 'batch') return;
  const where = UPSTREAM_PURPOSES.has(purpose) || PURPOSES.has(purpose);
  throw new InvalidRequestError(
    where
      ? `Files of the purpose '${purpose}' cannot be uploaded here. The purpose of a batch's input is 'batch'.`
      : `Invalid value: '${purpose.slice(0, 64)}'. The only supported value of 'purpose' is 'batch'.`,
    'purpose',
    'invalid_value',
  );
}

function expiresSeconds(fields: ReadonlyMap<string, string>): number | null {
  const anchor = fields.get('expires_after[anchor]');
  const seconds = fields.get('expires_after[seconds]');
  if (anchor === undefined && seconds === undefined) return null;
  if (anchor !== 'created_at') {
    throw new InvalidRequestError("'expires_after[anchor]' must be 'created_at'.", 'expires_after', 'invalid_value');
  }
  const { least, most } = EXPIRES_SECONDS;
  const number = Number(seconds ?? '');
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  throw new InvalidRequestError(
    `'expires_after[seconds]' must be a whole number from ${least} to ${most}.`,
    'expires_after',
    'invalid_value',
  );
}

/** What is shown later, anywhere: the last part of a path, without what could be taken for more than a name. */
function safeName(name: string): string {
  const last = name.split(/[\\/]/).at(-1) ?? '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not stay
  const clean = last.replace(/[\u0000-\u001f\u007f\u202a-\u202e\u2066-\u2069]/g, '').trim();
  return clean.slice(0, FILENAME_CHARACTERS) || 'file';
}

function tooLarge({ maxBytes }: FilesConfig): TooLargeError {
  return new TooLargeError(`The file is larger than ${maxBytes} bytes (files.maxBytes).`);
}

/** As OpenAI shows a file. */
export function fileView(file: FileRecord): Record<string, unknown> {
  return {
    id: file.id,
    object: 'file',
    bytes: file.bytes,
    created_at: Math.floor(file.created_at / 1000),
    expires_at: Math.floor(file.expires_at / 1000),
    filename: file.filename,
    purpose: file.purpose,
    status: 'processed',
    status_details: null,
  };
}

function listQuery(request: Request): FilesQuery {
  const text = (name: string): string | undefined => {
    const value = request.query[name];
    if (value === undefined || typeof value === 'string') return value || undefined;
    throw new InvalidRequestError(`'${name}' must be given once, as text.`, name, 'invalid_value');
  };
  const limit = Number(text('limit') ?? PAGE_MOST);
  if (!Number.isInteger(limit) || limit < 1 || limit > PAGE_MOST) {
    throw new InvalidRequestError(`'limit' must be a whole number from 1 to ${PAGE_MOST}.`, 'limit', 'invalid_value');
  }
  const order = text('order') ?? 'desc';
  if (order !== 'asc' && order !== 'desc') {
    throw new InvalidRequestError("'order' must be asc or desc.", 'order', 'invalid_value');
  }
  const [after, purpose] = [text('after'), text('purpose')];
  return { limit, order, ...(after === undefined ? {} : { after }), ...(purpose === undefined ? {} : { purpose }) };
}
