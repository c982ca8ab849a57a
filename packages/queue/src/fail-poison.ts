/** Ends a job that takes its worker process down with it. */
import type { JobError } from '@millrace/core';
import { finish, type WriteReply } from './attempt.ts';
import { SUSPECT_CRASHES } from './pace-of-life.ts';
import type { Store, StoreQueue } from './store.ts';

/**
 * Fails the job with code `poison`. Its attempts are closed already, each with its own mark.
 * @param crashes of worker processes in which the job was in flight
 */
export function failPoison(store: Store, queue: StoreQueue, id: string, crashes: number): Promise<WriteReply> {
  const alone = Math.max(0, crashes - SUSPECT_CRASHES);
  const error: JobError = {
    code: 'poison',
    message: `The worker process died ${crashes} times while this job ran, ${alone} of them with nothing else running: it is not tried again.`,
  };
  return finish(store, queue, id, {
    to: 'failed',
    epoch: null,
    paid: false,
    end: {
      outcome: 'failed',
      reason: 'lost',
      error,
      upstream_id: null,
      usage: null,
      possibly_billed: false,
      counted: true,
    },
    answer: null,
    error,
    usage: null,
  });
}
