/**
 * bull-board at /board: for looking only. Its buttons would go around the job record, so every adapter is read-only and
 * the app refuses what is not a GET. Its pages are bounded here, because it would load as many jobs as it is asked for.
 */
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { readJob, type Store, type StoreQueue } from '@millrace/queue';
import type { Job as BullJob } from 'bullmq';
import type { RequestHandler } from 'express';
import { boardJob } from './board-job.ts';
import { BOARD_JOBS, BOARD_READS_AT_ONCE } from './bounds.ts';

export const BOARD_PATH = '/board';

type Statuses = Parameters<BullMQAdapter['getJobs']>[0];

/**
 * A queue whose jobs carry their records. bull-board's own formatters are synchronous and get BullMQ's data only, so
 * the records are read, and their views put in place, where the jobs are loaded.
 */
class RecordAdapter extends BullMQAdapter {
  readonly #store: Store;

  constructor(store: Store, queue: StoreQueue) {
    super(queue.bull, {
      readOnlyMode: true,
      allowRetries: false,
      externalJobUrl: ({ id }) => ({
        href: `/jobs/${encodeURIComponent(String(id))}`,
        displayText: 'Open in Millrace',
      }),
    });
    this.#store = store;
  }

  override async getJob(id: string): Promise<BullJob | undefined> {
    const job = await super.getJob(id);
    if (job !== undefined) await this.#attachRecord(job);
    return job;
  }

  override async getJobs(statuses: Statuses, start = 0, end = -1): Promise<BullJob[]> {
    const most = Math.max(1, Math.floor(BOARD_JOBS / Math.max(1, statuses.length)));
    const last = start + most - 1;
    const jobs = await super.getJobs(statuses, start, end < 0 ? last : Math.min(end, last));
    const waiting = [...jobs];
    const readOn = async (): Promise<void> => {
      for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) await this.#attachRecord(job);
    };
    await Promise.all(Array.from({ length: BOARD_READS_AT_ONCE }, readOn));
    return jobs;
  }

  /** Overwrites what bull-board will print; the job is this request's own copy and is never written back. */
  async #attachRecord(job: BullJob): Promise<void> {
    const view = boardJob(await readJob(this.#store, String(job.id)));
    if (view === null) return;
    job.name = view.name;
    job.data = view.data;
    job.returnvalue = view.returnValue;
  }
}

/** The handlers to mount at BOARD_PATH, with every configured queue. */
export function boardHandlers(store: Store): RequestHandler[] {
  const serverAdapter = new ExpressAdapter();
  serverAdapter.setBasePath(BOARD_PATH);
  createBullBoard({
    queues: [...store.queues.values()].map((queue) => new RecordAdapter(store, queue)),
    serverAdapter,
    options: {
      uiConfig: {
        boardTitle: 'Millrace queues',
        favIcon: { default: '/favicon.svg', alternative: '/favicon.svg' },
        boardLogo: { path: '/favicon.svg', width: 24, height: 24 },
        miscLinks: [{ text: 'Millrace overview', url: '/' }],
        hideDocsLink: true,
        // BullMQ's own metrics are not collected: the counters behind the API's /metrics are the ones that count.
        showMetrics: false,
      },
    },
  });
  const board: RequestHandler & { disable(setting: string): void } = serverAdapter.getRouter();
  board.disable('x-powered-by');
  return [whileRedisAnswers(store), board];
}

/** bull-board waits for Redis without end; here it answers 503 within a second. */
function whileRedisAnswers(store: Store): RequestHandler {
  return (request, response, next) => {
    if (!request.path.startsWith('/api/')) return next();
    const answered = new Promise<void>((resolve) => {
      response.once('close', resolve);
    });
    store.liveness
      .guard(async () => {
        next();
        await answered;
      })
      .catch(next);
  };
}
