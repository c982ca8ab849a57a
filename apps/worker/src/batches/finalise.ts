/**
 * A batch whose jobs have ended gets its files: each request in exactly one of them, in the order of the input. Repeated
 * after a crash it writes the same files under the same ids.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { isTerminal, jobIdOfLine, readCheckedLine, type Usage } from '@millrace/core';
import { NotStoredError } from '@millrace/files';
import {
  addFile,
  type Batch,
  type BatchStatus,
  readBatch,
  readMany,
  retireJobs,
  sendEvent,
  turnBatch,
} from '@millrace/queue';
import { eventOf } from './event-of.ts';
import type { BatchTerms } from './keep-batches.ts';
import { readInput } from './read-input.ts';
import { type ResultLine, resultLine, type Unanswered, unansweredLine } from './result-line.ts';

/** Answers that are in memory at once. */
const CHUNK = 50;

export async function finalise(terms: BatchTerms, begun: Batch): Promise<void> {
  const { store, signal } = terms;
  const batch = (await readBatch(store, begun.id)) ?? begun;
  const cancelled = batch.status === 'cancelling';
  const ids = { output: fileId(batch, 'output'), errors: fileId(batch, 'errors') };
  const totals = await writeFiles(terms, batch, ids, cancelled ? 'batch_cancelled' : 'batch_expired');
  signal.throwIfAborted();

  const kept = store.config.files.retentionSeconds;
  const created = Date.now();
  const expires = created + (batch.output_expires_seconds ?? kept) * 1000;
  for (const kind of ['output', 'errors'] as const) {
    if (totals[kind].lines === 0) continue;
    await addFile(store, {
      ...{ id: ids[kind], filename: `${batch.id}_${kind === 'output' ? 'output' : 'error'}.jsonl` },
      ...{ purpose: 'batch_output', bytes: totals[kind].bytes, created_at: created, expires_at: expires },
    });
  }
  const places = Array.from({ length: batch.total }, (_, place) => jobIdOfLine(batch.id, place));
  await retireJobs(store, batch.queue, places);
  const to: BatchStatus = cancelled ? 'cancelled' : totals.expired > 0 ? 'expired' : 'completed';
  const turned = await turnBatch(store, batch, ['finalizing', 'cancelling'], to, {
    ...{ completed: totals.output.lines, failed: totals.errors.lines, usage: JSON.stringify(totals.usage) },
    ...(totals.output.lines > 0 ? { output_file_id: ids.output } : {}),
    ...(totals.errors.lines > 0 ? { error_file_id: ids.errors } : {}),
  });
  if (turned) await sendEvent(store, `batch.${to}` as 'batch.completed', { id: batch.id }, eventOf(batch));
}

function fileId({ id }: Batch, kind: string): string {
  return `file-${createHash('sha256').update(`${id} ${kind}`).digest('hex').slice(0, 32)}`;
}

interface Written {
  output: { lines: number; bytes: number };
  errors: { lines: number; bytes: number };
  expired: number;
  usage: Usage;
}

async function writeFiles(
  { store, files, signal }: BatchTerms,
  batch: Batch,
  ids: Record<'output' | 'errors', string>,
  unanswered: Unanswered,
): Promise<Written> {
  const streams = { output: new PassThrough(), errors: new PassThrough() };
  const storing = Promise.all([files.write(ids.output, streams.output), files.write(ids.errors, streams.errors)]);
  const totals: Written = {
    ...{ output: { lines: 0, bytes: 0 }, errors: { lines: 0, bytes: 0 }, expired: 0 },
    usage: noUsage(),
  };
  const put = async ({ file, line, expired }: ResultLine): Promise<void> => {
    const bytes = Buffer.from(line);
    totals[file].lines += 1;
    totals[file].bytes += bytes.length;
    if (expired) totals.expired += 1;
    // A storage that fails never drains.
    if (!streams[file].write(bytes)) await Promise.race([once(streams[file], 'drain'), storing]);
  };
  try {
    for await (const line of resultLines({ store, files, signal }, batch, unanswered, totals.usage)) await put(line);
  } catch (error) {
    for (const stream of Object.values(streams)) stream.destroy(error as Error);
    await storing.catch(() => undefined);
    throw error;
  }
  for (const stream of Object.values(streams)) stream.end();
  await storing;
  for (const kind of ['output', 'errors'] as const) if (totals[kind].lines === 0) await files.remove(ids[kind]);
  return totals;
}

/** A line for each request, in the order of the input. */
async function* resultLines(
  { store, files, signal }: Omit<BatchTerms, 'log'>,
  batch: Batch,
  unanswered: Unanswered,
  usage: Usage,
): AsyncGenerator<ResultLine> {
  const never: number[] = [];
  for (let from = 0; from < batch.total; from += CHUNK) {
    signal.throwIfAborted();
    const ids = Array.from({ length: Math.min(CHUNK, batch.total - from) }, (_, index) =>
      jobIdOfLine(batch.id, from + index),
    );
    const found = await readMany(
      store,
      ids.map((id) => ({ queue: batch.queue, id })),
      true,
    );
    const byId = new Map(found.map((one) => [one.job.id, one]));
    for (const [index, id] of ids.entries()) {
      const one = byId.get(id);
      if (one === undefined) {
        never.push(from + index);
        continue;
      }
      if (!isTerminal(one.job.status))
        throw new Error(`the job ${id} of a batch that is to be finalised has not ended`);
      addUsage(usage, one.job.usage);
      yield resultLine(batch.id, from + index, batch.endpoint, one.job, one.answer);
    }
  }
  if (never.length > 0) yield* neverEnqueued({ store, files }, batch, new Set(never), unanswered);
}

/** Requests that never became jobs: only the input knows what they are called. */
async function* neverEnqueued(
  { store, files }: Pick<BatchTerms, 'store' | 'files'>,
  batch: Batch,
  places: ReadonlySet<number>,
  unanswered: Unanswered,
): AsyncGenerator<ResultLine> {
  let place = 0;
  try {
    for await (const { parsed } of readInput(store, files, batch, readCheckedLine)) {
      if (!(parsed instanceof Error) && places.has(place)) {
        yield unansweredLine(batch.id, place, parsed.customId, unanswered);
      }
      place++;
    }
  } catch (error) {
    // The input was deleted meanwhile: nothing is known of these any more.
    if (!(error instanceof NotStoredError)) throw error;
  }
}

function noUsage(): Usage {
  return {
    ...{ input_tokens: 0, input_tokens_details: { cached_tokens: 0 }, output_tokens: 0 },
    ...{ output_tokens_details: { reasoning_tokens: 0 }, total_tokens: 0 },
  };
}

function addUsage(sum: Usage, usage: Usage | null): void {
  if (usage === null) return;
  sum.input_tokens += usage.input_tokens;
  sum.input_tokens_details.cached_tokens += usage.input_tokens_details.cached_tokens;
  sum.output_tokens += usage.output_tokens;
  sum.output_tokens_details.reasoning_tokens += usage.output_tokens_details.reasoning_tokens;
  sum.total_tokens += usage.total_tokens;
}
