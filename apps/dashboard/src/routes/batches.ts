/** /api/batches: batches, their files, and what can be done with them. */
import { pipeline } from 'node:stream/promises';
import { ConflictError, InvalidRequestError, NotFoundError } from '@millrace/core';
import { NotStoredError } from '@millrace/files';
import { type Batch, noSuchBatch, readBatch, readFile, turnBatch } from '@millrace/queue';
import { Router } from 'express';
import { acted } from '../acted.ts';
import { readBatchList } from '../batches/batch-topics.ts';
import { batchRow, endedOf } from '../batches/batch-view.ts';
import type { RouteTerms } from './terms.ts';

const FILES = {
  input: { field: 'input_file_id', called: 'input file' },
  output: { field: 'output_file_id', called: 'output file' },
  errors: { field: 'error_file_id', called: 'error file' },
} as const;

export function batchesRoutes({ store, files }: RouteTerms): Router {
  const routes = Router();
  const { guard } = store.liveness;
  const found = async (id: string): Promise<Batch> => {
    const batch = await guard(() => readBatch(store, id));
    if (batch === null) throw noSuchBatch(id);
    return batch;
  };

  routes.get('/', async (request, response) => {
    const { after } = request.query;
    if (after !== undefined && typeof after !== 'string') {
      throw new InvalidRequestError("'after' must be the id of a batch.", 'after', 'invalid_value');
    }
    response.json(await readBatchList(store, after));
  });

  routes.get('/:id', async (request, response) => {
    const batch = await found(request.params.id);
    response.json(batchRow(batch, [{ at: Date.now(), ended: endedOf(batch) }], store.config.prices));
  });

  routes.post('/:id/cancel', async (request, response) => {
    const batch = await found(request.params.id);
    const first = await guard(() => turnBatch(store, batch, ['validating', 'in_progress'], 'cancelling'));
    await guard(() => store.commit());
    if (first) await acted(store, request, 'batch.cancel', batch.id);
    const { status } = await found(batch.id);
    // Two cancels are one.
    if (status !== 'cancelling' && status !== 'cancelled') {
      throw new ConflictError(
        `The batch ${batch.id} is ${status} and cannot be cancelled.`,
        'id',
        'batch_not_cancellable',
      );
    }
    response.json({ status });
  });

  routes.get('/:id/:file', async (request, response, next) => {
    const { id, file } = request.params;
    if (!Object.hasOwn(FILES, file)) return next();
    const { field, called } = FILES[file as keyof typeof FILES];
    const fileId = (await found(id))[field];
    if (!fileId) throw new NotFoundError(`The batch ${id} has no ${called}.`, 'id');
    const record = await guard(() => readFile(store, fileId));
    if (record === null) throw new NotFoundError(`The ${called} was deleted, or its time is over.`, 'id');
    const stream = await files.read(fileId).catch((error: unknown) => {
      if (!(error instanceof NotStoredError)) throw error;
      const shared = 'The dashboard must share MILLRACE_DATA with the API and the workers, or a bucket (files.s3).';
      throw new NotFoundError(`The ${called} is not on this machine. ${shared}`, 'id', 'file_elsewhere');
    });
    response.set({
      'content-type': 'application/jsonl; charset=utf-8',
      'content-length': String(record.bytes),
      'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(record.filename.toWellFormed())}`,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    // One that leaves half-way ends the reading; a file that breaks half-way ends the download, not in order.
    await pipeline(stream, response).catch((error: unknown) => {
      if (!response.closed) store.log.warn({ err: error, file: fileId }, 'A download broke off');
    });
  });
  return routes;
}
