/**
 * A batch's input becomes jobs: first every line is checked, so that a batch begins whole or not at all; then they are
 * added in chunks, no faster than the queue and Redis take them.
 */
import { hash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { type BatchLine, type NewJob, parseBatchLine, readCheckedLine, ShedError } from '@millrace/core';
import { NotStoredError } from '@millrace/files';
import {
  type Batch,
  type BatchStatus,
  type LineError,
  noteEnqueued,
  readBatch,
  sendEvent,
  submit,
  turnBatch,
} from '@millrace/queue';
import { eventOf } from './event-of.ts';
import type { BatchTerms } from './keep-batches.ts';
import { readInput } from './read-input.ts';

/** As many as are stored in one transaction. */
const CHUNK = 200;
/** Faults that are told; a file of nonsense need not be told line by line. */
const MOST_ERRORS = 100;
/** The queue, or Redis, is full: tried again. */
const FULL_AGAIN_MS = 1000;
/** Transactions under way: while Redis is at some, the next is made. */
const CHUNKS_AT_ONCE = 4;
/** Jobs may be stored already that are so far beyond `enqueued`, with gaps. */
export const STORED_AHEAD = CHUNK * CHUNKS_AT_ONCE;

export async function takeIn(terms: BatchTerms, batch: Batch): Promise<void> {
  const { store } = terms;
  let { total } = batch;
  if (batch.status === 'validating') {
    const checked = await check(terms, batch);
    if (checked === null) return;
    if ('errors' in checked) {
      const { errors } = checked;
      if (await turnBatch(store, batch, ['validating'], 'failed', { errors: JSON.stringify(errors) })) {
        await sendEvent(store, 'batch.failed', { id: batch.id }, eventOf(batch));
      }
      return;
    }
    total = checked.total;
    const fields = { total, ...(checked.model === null ? {} : { model: checked.model }) };
    if (!(await turnBatch(store, batch, ['validating'], 'in_progress', fields))) return;
  }
  await enqueueAll(terms, batch);
}

type Checked = { errors: LineError[] } | { total: number; model: string | null };

/** null: it was stopped. */
async function check({ store, files, signal }: BatchTerms, batch: Batch): Promise<Checked | null> {
  const { maxLines } = store.config.batches;
  const errors: LineError[] = [];
  const fault = (code: string | null, message: string, param: string | null, line: number | null): void => {
    if (errors.length < MOST_ERRORS) errors.push({ code, message, param, line });
  };
  /** By their hashes: half a megabyte for 50,000, whatever their lengths. */
  const seen = new Set<string>();
  let total = 0;
  let model: string | null | undefined;
  try {
    for await (const { number, parsed } of readInput(store, files, batch, parseBatchLine)) {
      if (signal.aborted) return null;
      total++;
      if (parsed instanceof Error) fault(parsed.code, parsed.message, parsed.param, number);
      else {
        const print = hash('sha1', parsed.customId, 'base64');
        if (seen.has(print)) {
          const shown = parsed.customId.slice(0, 64);
          fault('duplicate_custom_id', `The custom_id '${shown}' was used by an earlier line.`, 'custom_id', number);
        }
        seen.add(print);
        const asked = parsed.request.model ?? null;
        model = model === undefined || model === asked ? asked : null;
      }
      if (total > maxLines) {
        fault('too_many_requests', `The file has more than ${maxLines} requests (batches.maxLines).`, null, null);
        break;
      }
    }
  } catch (error) {
    if (!(error instanceof NotStoredError)) throw error;
    fault('file_not_found', `The input file ${batch.input_file_id} was deleted.`, 'input_file_id', null);
  }
  if (total === 0 && errors.length === 0) fault('empty_file', 'The file has no request.', null, null);
  return errors.length > 0 ? { errors } : { total, model: model ?? null };
}

async function enqueueAll(terms: BatchTerms, batch: Batch): Promise<void> {
  const { store, files, signal } = terms;
  let place = 0;
  let jobs: NewJob[] = [];
  let over = false;
  /** Chunks under way, the oldest first: whether it and all before it were stored and noted. */
  const underWay: Promise<boolean>[] = [];
  let before = Promise.resolve(true);
  const flush = async (): Promise<void> => {
    const end = place;
    const stored = storeAll(terms, batch, jobs);
    jobs = [];
    before = Promise.all([stored, before]).then(async (all) => {
      if (!all.every((whole) => whole)) {
        over = true;
        return false;
      }
      const status = await noteEnqueued(store, batch, end);
      over ||= !goesOn(batch, status);
      return true;
    });
    // Both are awaited below; until then their failure is nobody's surprise.
    stored.catch(() => undefined);
    before.catch(() => undefined);
    underWay.push(before);
    if (underWay.length >= CHUNKS_AT_ONCE) await underWay.shift();
  };
  try {
    for await (const { parsed } of readInput(store, files, batch, readCheckedLine)) {
      if (place++ < batch.enqueued || parsed instanceof Error) continue;
      jobs.push(jobOf(terms, batch, parsed, place - 1));
      if (jobs.length < CHUNK) continue;
      await flush();
      if (signal.aborted || over) return;
    }
    if (jobs.length > 0) await flush();
  } finally {
    await before;
  }
}

/** Not when it is cancelled, or its time is over. */
function goesOn({ expires_at: expires }: Batch, status: BatchStatus | undefined): boolean {
  return status === 'in_progress' && Date.now() < expires;
}

/**
 * Stores a chunk, waiting for room as long as the batch goes on.
 * @returns whether all of it is stored
 * @throws when it is stopped, or what was not expected goes wrong
 */
async function storeAll({ store, signal }: BatchTerms, batch: Batch, jobs: readonly NewJob[]): Promise<boolean> {
  for (let left = jobs; ; ) {
    const replies = await submit(store, left).catch((error: unknown) => {
      if (error instanceof ShedError) return left.map(() => error);
      throw error;
    });
    left = left.filter((_, index) => replies[index] instanceof Error);
    if (left.length === 0) return true;
    await wait(FULL_AGAIN_MS, undefined, { signal });
    if (!goesOn(batch, (await readBatch(store, batch.id))?.status)) return false;
  }
}

function jobOf({ store }: BatchTerms, batch: Batch, { customId, request }: BatchLine, place: number): NewJob {
  const settings = store.config.queues[batch.queue.name];
  return {
    queue: batch.queue.name,
    type: 'generate',
    model: request.model ?? settings?.model ?? null,
    priority: batch.priority,
    delayMs: 0,
    deadline: batch.expires_at,
    metadata: (request.metadata as Record<string, string> | null | undefined) ?? null,
    webhookUrl: null,
    retryOf: null,
    stream: false,
    forget: false,
    batch: { id: batch.id, place, customId, chat: batch.endpoint === '/v1/chat/completions' },
    idempotency: null,
    body: request,
  };
}
