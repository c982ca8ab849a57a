/** Every job of a cancelled batch that has not ended is cancelled, wherever it waits or runs. */
import { jobIdOfLine, NotFoundError } from '@millrace/core';
import { type Batch, cancelJob, readBatch } from '@millrace/queue';
import type { BatchTerms } from './keep-batches.ts';
import { STORED_AHEAD } from './take-in.ts';

const AT_ONCE = 50;

/** Can be repeated: what has ended stays as it is. @throws what keeps a job from being cancelled */
export async function cancelJobs({ store, signal }: BatchTerms, begun: Batch): Promise<void> {
  const batch = (await readBatch(store, begun.id)) ?? begun;
  const end = Math.min(batch.total, batch.enqueued + STORED_AHEAD);
  const stored = [
    ...Array.from({ length: end }, (_, place) => place),
    ...batch.leaders.filter((place) => place >= end),
  ];
  for (let from = 0; from < stored.length; from += AT_ONCE) {
    signal.throwIfAborted();
    const places = stored.slice(from, from + AT_ONCE);
    await Promise.all(
      places.map((place) =>
        cancelJob(store, jobIdOfLine(batch.id, place)).catch((error: unknown) => {
          // It never became a job.
          if (!(error instanceof NotFoundError)) throw error;
        }),
      ),
    );
  }
}
