/** The topic `job:<id>`: how a job stands, told when it changes. Its request and its answer are not read for it. */
import { isTerminal, type Job, tagOfJobId } from '@millrace/core';
import { readJob, readJobOutline, readWaiting, type Store } from '@millrace/queue';
import { ENDED_JOB_POLL_MS, JOB_POLL_MS } from './bounds.ts';
import { polled, type Source } from './live.ts';
import type { JobTopic } from './views/job.ts';

/** null: that is no job's id. One that is gone is told as such. */
export function jobTopic(store: Store, id: string): Source | null {
  if (tagOfJobId(id) === null) return null;
  const { guard } = store.liveness;
  /** What it goes on from is in its request, and stays: that is read once. */
  let body: Job['body'] | null = null;
  const read = async (): Promise<JobTopic> => {
    const outline = await guard(() => readJobOutline(store, id));
    if (outline === null) return GONE;
    if (outline.job.status === 'queued') body ??= await guard(() => goesOnFrom(store, id));
    const job = { ...outline.job, body: body ?? {} };
    const waiting = await guard(() => readWaiting(store, [job]));
    return {
      ...{ gone: false, status: job.status, stamp: outline.stamp, waiting_for: waiting(job) },
      ...{ started_at: job.started_at, begun: outline.begun },
    };
  };
  // While Redis is away all that can be told is what was, and the frame of the page says so.
  return polled(read, restAfter, () => undefined);
}

/** Of a job that has ended little can change: that it is retried, or gone. */
const restAfter = (last: JobTopic | null): number =>
  last !== null && (last.status === null || isTerminal(last.status)) ? ENDED_JOB_POLL_MS : JOB_POLL_MS;

const GONE: JobTopic = { gone: true, status: null, stamp: '', waiting_for: null, started_at: null, begun: 0 };

async function goesOnFrom(store: Store, id: string): Promise<Job['body']> {
  const found = await readJob(store, id);
  const fields = ['previous_response_id', 'conversation'] as const;
  const asked = (found?.job.body ?? {}) as Record<string, unknown>;
  return Object.fromEntries(fields.filter((field) => asked[field] != null).map((field) => [field, asked[field]]));
}
