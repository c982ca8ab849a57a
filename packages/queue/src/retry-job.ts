/** Retrying a finished job makes a new one: a job has one outcome, for ever. */
import { ConflictError, editedJob, isTerminal, type Job, type JobEdit, type NewJob } from '@millrace/core';
import { noSuchJob } from './cancel.ts';
import type { Submitted } from './enqueue.ts';
import { readJob } from './read.ts';
import type { Store } from './store.ts';
import { submit } from './submit.ts';

/**
 * Submits the same work again, linked by `retry_of`. The deadline and the delay were the old job's and are not kept.
 * @param key the name of the API key of who retries it, whose the new job is; null: nobody's
 * @param edit what is to be otherwise
 * @throws NotFoundError; ConflictError when the job is not finished; InvalidRequestError naming a field of the edit;
 * ShedError as for any submission.
 */
export async function retryJob(
  store: Store,
  id: string,
  key: string | null = null,
  edit: JobEdit | null = null,
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
  const again = edit === null ? sameAgain(job, key) : editedJob(store.config, job, edit, key);
  const [submitted] = await submit(store, [again]);
  if (submitted === undefined || submitted instanceof Error) throw submitted ?? new Error('submit answered for no job');
  return { ...submitted, queue: job.queue };
}

/** The same work as a new job. */
export function sameAgain(job: Job, key: string | null): NewJob {
  return {
    queue: job.queue,
    type: job.type,
    model: job.model,
    priority: job.priority,
    delayMs: 0,
    deadline: null,
    metadata: job.metadata,
    webhookUrl: job.webhook_url,
    retryOf: job.id,
    stream: false,
    forget: false,
    batch: null,
    key,
    idempotency: null,
    body: job.body,
  };
}
