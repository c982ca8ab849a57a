/** Retrying a finished job makes a new one: a job has one outcome, for ever. */
import { ConflictError, isTerminal } from '@millrace/core';
import { noSuchJob } from './cancel.ts';
import type { Submitted } from './enqueue.ts';
import { readJob } from './read.ts';
import type { Store } from './store.ts';
import { submit } from './submit.ts';

/**
 * Submits the same work again, linked by `retry_of`. The deadline and the delay were the old job's and are not kept.
 * @param key the name of the API key of who retries it, whose the new job is; null: nobody's
 * @throws NotFoundError; ConflictError when the job is not finished; ShedError as for any submission.
 */
export async function retryJob(
  store: Store,
  id: string,
  key: string | null = null,
): Promise<Submitted & { queue: string }> {
  const found = await readJob(store, id);
  if (found === null) throw noSuchJob(id);
  const { job } = found;
  if (!isTerminal(job.status)) {
    throw new ConflictError(
      `The job ${id} is ${job.status}: only a finished job can be retried.`,
      'id',
      'job_not_finished',
    );
  }
  const [submitted] = await submit(store, [
    {
      queue: job.queue,
      type: job.type,
      model: job.model,
      priority: job.priority,
      delayMs: 0,
      deadline: null,
      metadata: job.metadata,
      webhookUrl: job.webhook_url,
      retryOf: id,
      stream: false,
      forget: false,
      batch: null,
      key,
      idempotency: null,
      body: job.body,
    },
  ]);
  if (submitted === undefined || submitted instanceof Error) throw submitted ?? new Error('submit answered for no job');
  return { ...submitted, queue: job.queue };
}
