/**
 * A batch's input becomes jobs: first every line is checked, so that a batch begins whole or not at all; then a first
 * request of each shared beginning goes ahead; then all are added in chunks, no faster than the queue and Redis take them.
 */
import { hash } from 'node:crypto';
import { type NewJob, parseBatchLine, readCheckedLine } from '@millrace/core';
import { NotStoredError } from '@millrace/files';
import { type Batch, type LineError, noteEnqueued, readBatch, sendEvent, turnBatch } from '@millrace/queue';
import { eventOf } from './event-of.ts';
import { searchLeaders } from './find-leaders.ts';
import type { BatchTerms } from './keep-batches.ts';
import { readInput } from './read-input.ts';
import { sendAhead } from './send-ahead.ts';
import { goesOn, jobOfLine, storeLines } from './store-lines.ts';

/** As many as are stored in one transaction. */
const CHUNK = 200;
/** Faults that are told; a file of nonsense need not be told line by line. */
const MOST_ERRORS = 100;
/** Transactions under way: while Redis is at some, the next is made. */
const CHUNKS_AT_ONCE = 4;
/** Jobs may be stored already that are so far beyond `enqueued`, with gaps. */
export const STORED_AHEAD = CHUNK * CHUNKS_AT_ONCE;

export async function takeIn(terms: BatchTerms, batch: Batch): Promise<void> {
  const { store } = terms;
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
    const { total, model, leaders } = checked;
    const fields = {
      total,
      ...(model === null ? {} : { model }),
      ...(leaders.length === 0 ? {} : { leaders: JSON.stringify(leaders) }),
    };
    if (!(await turnBatch(store, batch, ['validating'], 'in_progress', fields))) return;
  }
  const begun = (await readBatch(store, batch.id)) ?? batch;
  if (await sendAhead(terms, begun)) await enqueueAll(terms, begun);
}

type Checked = { errors: LineError[] } | { total: number; model: string | null; leaders: number[] };

/** null: it was stopped. */
async function check({ store, files, signal }: BatchTerms, batch: Batch): Promise<Checked | null> {
  const { maxLines } = store.config.batches;
  const errors: LineError[] = [];
  const fault = (code: string | null, message: string, param: string | null, line: number | null): void => {
    if (errors.length < MOST_ERRORS) errors.push({ code, message, param, line });
  };
  /** By their hashes: half a megabyte for 50,000, whatever their lengths. */
  const seen = new Set<string>();
  const search = searchLeaders(store.config.tools);
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
        search.note(total - 1, parsed.request);
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
  return errors.length > 0 ? { errors } : { total, model: model ?? null, leaders: search.found() };
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
    const stored = storeLines(terms, batch, jobs);
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
      jobs.push(jobOfLine(terms, batch, parsed, place - 1));
      if (jobs.length < CHUNK) continue;
      await flush();
      if (signal.aborted || over) return;
    }
    if (jobs.length > 0) await flush();
  } finally {
    await before;
  }
}
