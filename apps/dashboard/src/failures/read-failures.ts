/** Failures by their cause, from the index; the messages of their examples from the jobs themselves. */
import { type Job, ShedError } from '@millrace/core';
import { readWithin, type Store } from '@millrace/queue';
import { FAILURES_SHOWN, MESSAGE_CHARACTERS } from '../bounds.ts';
import { oneLine } from '../excerpt.ts';
import type { CohortRow, JobIndex } from '../search/job-index.ts';
import type { CohortDetailView, CohortView, FailuresView } from '../views/failures.ts';
import { type Span, untilNow } from './span.ts';

/** Parts of a span: enough to see whether it grows. */
const BUCKETS = 24;
/** Causes shown with an example; each costs a read. */
const EXAMPLES = 50;
const RECORDS = { bodyBytes: 0, answerBytes: 0, batchBytes: 2 * 1024 ** 2 };

/** Where there is no index, that is what it tells. */
export async function readFailures(store: Store, index: JobIndex, span: Span): Promise<FailuresView> {
  const { until } = index.state();
  return orTrouble({ total: 0, finished: 0, cohorts: [], until }, async () => {
    const { total, finished, cohorts } = await index.cohorts({ ...(await untilNow(store, span)), buckets: BUCKETS });
    const examples = await messagesOf(
      store,
      cohorts.slice(0, EXAMPLES).map(({ example }) => example),
    );
    return { total, finished, cohorts: cohorts.map((row) => cohortView(row, total, examples)), until };
  });
}

export async function readCohort(store: Store, index: JobIndex, span: Span, cause: string): Promise<CohortDetailView> {
  return orTrouble({ cohort: null, jobs: [] }, async () => {
    const within = await untilNow(store, span);
    const { total, cohorts } = await index.cohorts({ ...within, buckets: BUCKETS });
    const row = cohorts.find((cohort) => cohort.cause === cause);
    if (row === undefined) return { cohort: null, jobs: [] };
    const jobs = await jobsAmong(store, await index.jobsOf(cause, within, FAILURES_SHOWN, false));
    const examples = new Map(jobs.map((job) => [job.id, messageOf(job)]));
    return { cohort: cohortView(row, total, examples), jobs: jobs.map(jobView) };
  });
}

function cohortView(row: CohortRow, total: number, messages: ReadonlyMap<string, string>): CohortView {
  const { cause: id, reason, code, path, message, example, ...rest } = row;
  const said = messages.get(example);
  return {
    ...{ count: rest.count, retried: rest.retried, trend: rest.trend, firstAt: rest.firstAt, lastAt: rest.lastAt },
    ...{ queues: rest.queues, models: rest.models },
    cause: { id, reason, code, path, message },
    share: total === 0 ? 0 : rest.count / total,
    example: said === undefined ? null : { id: example, message: said },
  };
}

function jobView(job: Job): CohortDetailView['jobs'][number] {
  const { id, queue, model, attempts } = job;
  return { id, queue, model, finishedAt: job.finished_at ?? 0, attempts: attempts.length, message: messageOf(job) };
}

const messageOf = ({ error }: Job): string => oneLine(String(error?.message ?? ''), MESSAGE_CHARACTERS);

async function messagesOf(store: Store, ids: readonly string[]): Promise<Map<string, string>> {
  return new Map((await jobsAmong(store, ids)).map((job) => [job.id, messageOf(job)]));
}

/** Without their requests; those that are gone are left out. */
async function jobsAmong(store: Store, ids: readonly string[]): Promise<Job[]> {
  const jobs: Job[] = [];
  for await (const part of readWithin(store, ids, RECORDS)) jobs.push(...part.map(({ job }) => job));
  return jobs;
}

/** Without an index (or while it is made) a page says so; anything else is a fault. */
async function orTrouble<T extends object>(empty: T, read: () => Promise<T>): Promise<T & { trouble: string | null }> {
  try {
    return { ...(await read()), trouble: null };
  } catch (error) {
    if (!(error instanceof ShedError)) throw error;
    return { ...empty, trouble: error.message };
  }
}
