/** /api/jobs: jobs, newest first, by what they are looked for by. What Redis can list is listed by Redis. */

import { listJobIds, readWaiting, readWithin, type Store } from '@millrace/queue';
import { Router } from 'express';
import { jobRow } from '../job-row.ts';
import type { JobIndex } from '../search/job-index.ts';
import { type JobsAsked, readJobsAsked } from '../search/jobs-asked.ts';
import type { JobRow, JobsView } from '../views/jobs.ts';
import type { RouteTerms } from './terms.ts';

/** Of a request or an answer, to show a line of it; what is longer is left unread. */
const SHOWN_BYTES = 256 * 1024;
const HELD_BYTES = 4 * 1024 * 1024;
/** The index is asked so often for one page: what it finds may have moved on, or be gone. */
const LOOKS = 5;

export function jobsRoutes({ store, index }: RouteTerms): Router {
  const routes = Router();
  routes.get('/', async (request, response) => {
    const asked = readJobsAsked(request.query, [...store.queues.keys()]);
    const page = asked.needsIndex ? await searched(store, index, asked) : await listed(store, asked);
    const view: JobsView = {
      ...page,
      indexed: asked.needsIndex,
      index: index.state(),
      queues: [...store.queues.keys()],
      now: Date.now(),
    };
    response.json(view);
  });
  return routes;
}

type Page = Pick<JobsView, 'jobs' | 'next'>;

async function listed(store: Store, { query, limit, after }: JobsAsked): Promise<Page> {
  const { ids, hasMore } = await store.liveness.guard(() =>
    listJobIds(store, { ...query, limit, ...(after === null ? {} : { after }) }),
  );
  const { jobs } = await rowsOf(store, ids, undefined);
  return { jobs, next: hasMore ? (ids.at(-1) ?? null) : null };
}

async function searched(store: Store, index: JobIndex, { query, limit, after }: JobsAsked): Promise<Page> {
  const jobs: JobRow[] = [];
  let next = after;
  for (let look = 0; look < LOOKS && jobs.length < limit; look++) {
    const found = await index.find(query, limit - jobs.length, next);
    const { jobs: rows, gone } = await rowsOf(store, found.ids, query.text);
    if (gone.length > 0) await index.forget(gone);
    // What the index has of a status may be a moment old.
    jobs.push(...rows.filter(({ status }) => query.statuses?.includes(status) ?? true));
    next = found.next;
    if (next === null) break;
  }
  return { jobs, next };
}

/** @param typed what was looked for in their texts; answers are read only then */
async function rowsOf(
  store: Store,
  ids: readonly string[],
  typed: string | undefined,
): Promise<{ jobs: JobRow[]; gone: string[] }> {
  const { guard } = store.liveness;
  const now = Date.now();
  const { prices } = store.config;
  const jobs: JobRow[] = [];
  const gone = new Set(ids);
  const answerBytes = typed === undefined ? 0 : SHOWN_BYTES;
  const batches = readWithin(store, ids, { bodyBytes: SHOWN_BYTES, answerBytes, batchBytes: HELD_BYTES });
  for (;;) {
    const { value: some, done } = await guard(() => batches.next());
    if (done) return { jobs, gone: [...gone] };
    const tellWaiting = await guard(() =>
      readWaiting(
        store,
        some.map(({ job }) => job),
      ),
    );
    for (const { job, answer } of some) {
      gone.delete(job.id);
      jobs.push(jobRow(job, answer, { prices, tellWaiting, typed, now }));
    }
  }
}
