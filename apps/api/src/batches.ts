/** /v1/batches: many requests from one file, answered into files. */
import {
  BATCH_ENDPOINTS,
  type BatchEndpoint,
  ConflictError,
  checkedKey,
  InvalidRequestError,
  numberHeader,
  parseMetadata,
  windowSeconds,
} from '@millrace/core';
import {
  type Batch,
  type BatchStatus,
  createBatch,
  listBatches,
  noSuchBatch,
  queueNamed,
  readBatch,
  readFile,
  type Store,
  turnBatch,
} from '@millrace/queue';
import { type Request, Router } from 'express';
import { callerName, keyName } from './authenticate.ts';
import { jsonBody } from './read-body.ts';

const PAGE_DEFAULT = 20;
const PAGE_MOST = 100;
/** Behind what somebody waits for, unless it is said otherwise. */
const PRIORITY = 7;
const FIELDS: ReadonlySet<string> = new Set([
  ...['input_file_id', 'endpoint', 'completion_window', 'metadata', 'output_expires_after'],
]);

export function batchesRoutes(store: Store): Router {
  const routes = Router();
  const { guard } = store.liveness;

  routes.post('/', jsonBody, async (request, response) => {
    response.json(batchView(await guard(() => create(store, request))));
  });

  routes.get('/', async (request, response) => {
    const limit = Number(request.query.limit ?? PAGE_DEFAULT);
    if (!Number.isInteger(limit) || limit < 1 || limit > PAGE_MOST) {
      throw new InvalidRequestError(`'limit' must be a whole number from 1 to ${PAGE_MOST}.`, 'limit', 'invalid_value');
    }
    const { after } = request.query;
    const page = await guard(() =>
      listBatches(store, limit, typeof after === 'string' && after !== '' ? after : undefined),
    );
    response.json({
      object: 'list',
      data: page.batches.map(batchView),
      first_id: page.batches[0]?.id ?? null,
      last_id: page.batches.at(-1)?.id ?? null,
      has_more: page.hasMore,
    });
  });

  const found = async (id: string): Promise<Batch> => {
    const batch = await guard(() => readBatch(store, id));
    if (batch === null) throw noSuchBatch(id);
    return batch;
  };

  routes.get('/:id', async (request, response) => {
    response.json(batchView(await found(request.params.id)));
  });

  routes.post('/:id/cancel', async (request, response) => {
    const batch = await found(request.params.id);
    await guard(() => turnBatch(store, batch, ['validating', 'in_progress'], 'cancelling'));
    await guard(() => store.commit());
    const now = await found(batch.id);
    // Two cancels are one.
    if (now.status !== 'cancelling' && now.status !== 'cancelled') {
      throw new ConflictError(
        `The batch ${now.id} is ${now.status} and cannot be cancelled.`,
        'id',
        'batch_not_cancellable',
      );
    }
    response.json(batchView(now));
  });
  return routes;
}

/** @throws InvalidRequestError naming the field; nothing is stored then */
async function create(store: Store, request: Request): Promise<Batch> {
  const body: unknown = request.body;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new InvalidRequestError('The body must be a JSON object.', null, 'invalid_type');
  }
  const fields = body as Record<string, unknown>;
  for (const field of Object.keys(fields)) {
    if (!FIELDS.has(field)) {
      throw new InvalidRequestError(
        `Unknown parameter: '${field.slice(0, 80)}'.`,
        field.slice(0, 80),
        'unknown_parameter',
      );
    }
  }
  const { endpoint, input_file_id: fileId, completion_window: window } = fields;
  if (!BATCH_ENDPOINTS.includes(endpoint as BatchEndpoint)) {
    const supported = BATCH_ENDPOINTS.map((one) => `'${one}'`).join(' and ');
    throw new InvalidRequestError(`'endpoint' must be one of ${supported}.`, 'endpoint', 'invalid_value');
  }
  const seconds = windowSeconds(window);
  const metadata = parseMetadata(fields.metadata, 'metadata');
  const queue = queueNamed(store, request.get('millrace-queue') ?? defaultQueue(store));
  const settings = store.config.queues[queue.name];
  const priority = numberHeader(request.get('millrace-priority'), 'Millrace-Priority', 0, 9, true);
  const key = checkedKey(request.get('idempotency-key'));
  const outputExpiresSeconds = outputExpires(fields.output_expires_after);
  await checkInput(store, fileId);
  return createBatch(store, {
    ...{ queue, metadata, outputExpiresSeconds, endpoint: endpoint as BatchEndpoint, inputFileId: String(fileId) },
    ...{ completionWindow: String(window), windowMs: seconds * 1000 },
    priority: priority ?? Math.max(PRIORITY, settings?.priority ?? PRIORITY),
    key: keyName(request),
    idempotency: key === undefined ? null : { caller: callerName(request), key },
  });
}

/** Requests of a batch are generations. */
function defaultQueue({ config }: Store): string {
  const names = Object.keys(config.queues);
  return names.includes('generate') ? 'generate' : (names[0] ?? '');
}

async function checkInput(store: Store, id: unknown): Promise<void> {
  const refuse = (message: string): InvalidRequestError =>
    new InvalidRequestError(message, 'input_file_id', 'invalid_value');
  if (typeof id !== 'string') throw refuse("'input_file_id' must be the id of an uploaded file.");
  const file = await readFile(store, id);
  if (file === null) throw refuse(`There is no file '${id.slice(0, 80)}'. Upload it first, with purpose 'batch'.`);
  if (file.purpose !== 'batch')
    throw refuse(`The file ${id} has the purpose '${file.purpose}'; a batch's input has 'batch'.`);
  const { maxBytes } = store.config.batches;
  if (file.bytes > maxBytes)
    throw refuse(`The file ${id} has ${file.bytes} bytes; a batch's input may have ${maxBytes} (batches.maxBytes).`);
}

const EXPIRES_SECONDS = { least: 3600, most: 2_592_000 };

function outputExpires(value: unknown): number | null {
  if (value === undefined || value === null) return null;
  const { anchor, seconds } = value as { anchor?: unknown; seconds?: unknown };
  const { least, most } = EXPIRES_SECONDS;
  if (anchor === 'created_at' && Number.isInteger(seconds) && Number(seconds) >= least && Number(seconds) <= most) {
    return Number(seconds);
  }
  throw new InvalidRequestError(
    `'output_expires_after' must be {"anchor": "created_at", "seconds": ${least} to ${most}}.`,
    'output_expires_after',
    'invalid_value',
  );
}

/** As OpenAI shows a batch. */
export function batchView(batch: Batch): Record<string, unknown> {
  const at = (status: BatchStatus): number | null => {
    const ms = batch.turned[status];
    return ms === undefined ? null : Math.floor(ms / 1000);
  };
  return {
    id: batch.id,
    object: 'batch',
    endpoint: batch.endpoint,
    model: batch.model,
    errors: batch.errors === null ? null : { object: 'list', data: batch.errors },
    input_file_id: batch.input_file_id,
    completion_window: batch.completion_window,
    status: batch.status,
    output_file_id: batch.output_file_id,
    error_file_id: batch.error_file_id,
    created_at: Math.floor(batch.created_at / 1000),
    in_progress_at: at('in_progress'),
    expires_at: Math.floor(batch.expires_at / 1000),
    finalizing_at: at('finalizing'),
    completed_at: at('completed'),
    failed_at: at('failed'),
    expired_at: at('expired'),
    cancelling_at: at('cancelling'),
    cancelled_at: at('cancelled'),
    request_counts: { total: batch.total, completed: batch.completed, failed: batch.failed },
    usage: batch.usage,
    // Not OpenAI's: while it runs there is no usage yet.
    cached_tokens: batch.usage?.input_tokens_details.cached_tokens ?? batch.cached_tokens,
    metadata: batch.metadata,
  };
}
