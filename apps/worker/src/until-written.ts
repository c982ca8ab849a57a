/**
 * A write that must not be lost: what Redis refuses for the moment (full, disk full, loading, read-only) is tried again
 * until it is taken. The job's lock may run out meanwhile; the scripts' fence decides then who was right.
 */
import type { Log } from '@millrace/core';

const AGAIN_MS = 500;
const FOR_THE_MOMENT = /^(OOM|MISCONF|LOADING|READONLY|BUSY|MASTERDOWN|NOREPLICAS|CLUSTERDOWN|TRYAGAIN)\b|\bOOM\b/;

/** @throws what is no refusal for the moment: a closed connection at shutdown, or a fault of ours. */
export async function untilWritten<T>(log: Log, write: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof Error) || !FOR_THE_MOMENT.test(error.message)) throw error;
      if (tries === 1) log.error({ err: error }, 'Redis refuses to write; trying again until it does');
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}
