/**
 * Reads jobs from the API until each has ended. The load stays small however many there are: a bounded number of
 * them is asked after in a round, the next ones in the next.
 */

import { type ApiClient, ApiError, type ApiJob } from '../api-client.ts';
import { pause } from '../pause.ts';

const PER_ROUND = 64;
const AT_ONCE = 8;
const BETWEEN_ROUNDS_MS = 250;
/**
 * A call may take its whole timeout (10 min by default) and be tried again; when for this long not one job has ended,
 * none will.
 */
const NOTHING_ENDED_MS = 45 * 60_000;

/** No job has ended for so long that nothing more is to be expected. */
export class NothingEndsError extends Error {
  override readonly name = 'NothingEndsError';
}

/**
 * Calls `onEnded` once for every job of `ids`, with undefined where the API knows no such job.
 * @throws NothingEndsError; the reason of `signal`.
 */
export async function followJobs(
  ids: readonly string[],
  api: Pick<ApiClient, 'readJob'>,
  signal: AbortSignal,
  onEnded: (id: string, job: ApiJob | undefined) => void,
): Promise<void> {
  let waiting = [...ids];
  let lastEnd = Date.now();
  let fault = '';
  while (waiting.length > 0) {
    signal.throwIfAborted();
    const round = waiting.splice(0, PER_ROUND);
    const open: string[] = [];
    await inParallel(round, async (id) => {
      try {
        const job = await api.readJob(id);
        if (job !== undefined && (job.status === 'queued' || job.status === 'in_progress')) open.push(id);
        else {
          lastEnd = Date.now();
          onEnded(id, job);
        }
      } catch (error) {
        signal.throwIfAborted();
        // An API that is being started again is asked once more in the next round.
        if (error instanceof ApiError && error.status < 500) throw error;
        fault = error instanceof Error ? error.message : String(error);
        open.push(id);
      }
    });
    waiting = [...waiting, ...open];
    if (Date.now() - lastEnd > NOTHING_ENDED_MS) {
      throw new NothingEndsError(`no job has ended for ${NOTHING_ENDED_MS / 60_000} minutes${fault && ` (${fault})`}`);
    }
    // A round in which every job had ended is followed by the next at once.
    if (open.length > 0) await pause(BETWEEN_ROUNDS_MS, signal);
  }
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const item of rest) await work(item);
    }),
  );
}
