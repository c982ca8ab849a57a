/** Every job of a cancelled batch that has not ended is cancelled, wherever it waits or runs. */
import { jobIdOfLine, NotFoundError } from '@millrace/core';
import { type Batch, cancelJob } from '@millrace/queue';
import type { BatchTerms } from './keep-batches.ts';

const AT_ONCE = 50;

/** Can be repeated: what has ended stays as it is. @throws what keeps a job from being cancelled */
export async function cancelJobs({ store, signal }: BatchTerms, batch: Batch): Promise<void> {
  // The chunks that were under way when it was cancelled may have been stored since.
  for (let from = 0; from < batch.total; from += AT_ONCE) {
    signal.throwIfAborted();
    const places = Array.from({ length: Math.min(AT_ONCE, batch.total - from) }, (_, index) => from + index);
    const missing = await Promise.all(
      places.map((place) =>
        cancelJob(store, jobIdOfLine(batch.id, place)).then(
          () => false,
          (error: unknown) => {
            if (error instanceof NotFoundError) return true;
            throw error;
          },
        ),
      ),
    );
    if (missing.every((gone) => gone)) return;
  }
}
