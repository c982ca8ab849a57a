/** Lines of a batch become jobs: the same line is the same job however often it is stored. */
import { setTimeout as wait } from 'node:timers/promises';
import { type BatchLine, type NewJob, ShedError } from '@millrace/core';
import { type Batch, type BatchStatus, readBatch, submit } from '@millrace/queue';
import type { BatchTerms } from './keep-batches.ts';

/** The queue, or Redis, is full: tried again. */
const FULL_AGAIN_MS = 1000;

/**
 * Stores jobs of a batch, waiting for room as long as the batch goes on.
 * @returns whether all of them are stored
 * @throws when it is stopped, or what was not expected goes wrong
 */
export async function storeLines(
  { store, signal }: BatchTerms,
  batch: Batch,
  jobs: readonly NewJob[],
): Promise<boolean> {
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

/** Not when it is cancelled, or its time is over. */
export function goesOn({ expires_at: expires }: Batch, status: BatchStatus | undefined): boolean {
  return status === 'in_progress' && Date.now() < expires;
}

/** @param place of the line, from 0: with the batch's id it makes the job's */
export function jobOfLine(
  { store }: BatchTerms,
  batch: Batch,
  { customId, request }: BatchLine,
  place: number,
): NewJob {
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
    key: batch.key,
    idempotency: null,
    body: request,
  };
}
