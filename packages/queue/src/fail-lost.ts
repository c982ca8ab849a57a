/** Ends jobs by what became of their lost attempts: those that kill their workers, and those not to be paid twice. */
import type { JobError } from '@millrace/core';
import { finish, type WriteReply } from './attempt.ts';
import type { Store, StoreQueue } from './store.ts';

/** Why a job of a queue with `whenUnknown: "fail"` fails whose call was cut off by us. */
export const OUTCOME_UNKNOWN: JobError = {
  code: 'outcome_unknown',
  message:
    'The call was sent and its answer was not read, so it may be on the bill. It is not made again because the queue is set to whenUnknown "fail"; retry the job if you want to pay for it again.',
};

/**
 * Fails the job with code `poison`. Its attempts are closed already, each with its own mark.
 * @param crashes of whole workers in which the job was in flight
 * @param alone of processes in which it was isolated
 */
export function failPoison(
  store: Store,
  queue: StoreQueue,
  id: string,
  { crashes, alone }: { crashes: number; alone: number },
): Promise<WriteReply> {
  const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);
  return failLost(store, queue, id, {
    code: 'poison',
    message: `Worker processes died while this job ran, ${times(crashes)} with others and ${times(alone)} in a process of its own: it is not tried again.`,
  });
}

/** Fails the job with code `outcome_unknown`. Its attempt is closed already, and marked. */
export function failUnknown(store: Store, queue: StoreQueue, id: string): Promise<WriteReply> {
  return failLost(store, queue, id, OUTCOME_UNKNOWN);
}

function failLost(store: Store, queue: StoreQueue, id: string, error: JobError): Promise<WriteReply> {
  return finish(store, queue, id, {
    to: 'failed',
    epoch: null,
    paid: false,
    end: {
      outcome: 'failed',
      reason: 'lost',
      error,
      upstream_id: null,
      api: null,
      usage: null,
      possibly_billed: false,
      counted: true,
    },
    answer: null,
    error,
    usage: null,
  });
}
