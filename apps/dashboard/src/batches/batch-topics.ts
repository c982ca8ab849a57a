/** Batches as they go on: the newest of them, and one with what its jobs failed of. Read while somebody watches only. */
import { tagOfBatchId } from '@millrace/core';
import { type Batch, listBatches, queueOfJob, readBatch, readMany, type Store } from '@millrace/queue';
import { BATCHES_SHOWN, POLL_MS } from '../bounds.ts';
import { polled, type Source, settled } from '../live.ts';
import { type Sample, sampled } from '../pace.ts';
import type { BatchesView, BatchView } from '../views/batches.ts';
import { batchDetails, batchFailures, batchRow, endedOf } from './batch-view.ts';

/** A page of the list, newest first. */
export async function readBatchList(store: Store, after?: string): Promise<BatchesView> {
  const { batches, hasMore } = await store.liveness.guard(() => listBatches(store, BATCHES_SHOWN, after));
  const at = Date.now();
  const rows = batches.map((batch) => batchRow(batch, [{ at, ended: endedOf(batch) }], store.config.prices));
  return { batches: rows, more: hasMore };
}

export function batchesTopic(store: Store): Source {
  return polled(
    () => readBatchList(store),
    POLL_MS,
    () => undefined,
  );
}

/** null: that is no batch's id. One that is gone is told as such: its page may be open yet, and connect again. */
export async function batchTopic(store: Store, id: string): Promise<Source | null> {
  const first = await store.liveness.guard(() => readBatch(store, id));
  if (first === null) return tagOfBatchId(id) === null ? null : settled({ gone: true, stale: false });
  let last: Omit<BatchView, 'gone' | 'stale'> | null = null;
  let samples: Sample[] = [];
  let known: { key: string; failures: BatchView['failures'] } | null = null;

  const failuresOf = async (batch: Batch): Promise<BatchView['failures']> => {
    const ids = batch.counts.codes.flatMap(({ examples }) => examples);
    const key = JSON.stringify([batch.counts.codes, batch.errors?.length]);
    if (known?.key !== key) {
      // Records may be large: they are read again only when there are others.
      const places = ids.flatMap((one) => {
        const queue = queueOfJob(store, one);
        return queue === undefined ? [] : [{ queue, id: one }];
      });
      known = { key, failures: batchFailures(batch, await readMany(store, places, false)) };
    }
    return known.failures;
  };
  const read = async (): Promise<object> => {
    const batch = await store.liveness.guard(() => readBatch(store, id));
    if (batch === null) return { ...last, gone: true, stale: false };
    samples = sampled(samples, { at: Date.now(), ended: endedOf(batch) });
    const failures = await store.liveness.guard(() => failuresOf(batch));
    last = { batch: batchRow(batch, samples, store.config.prices), details: batchDetails(batch), failures };
    return { ...last, gone: false, stale: false };
  };
  return polled(
    () => read().catch(() => ({ ...last, gone: false, stale: true })),
    POLL_MS,
    () => undefined,
  );
}
