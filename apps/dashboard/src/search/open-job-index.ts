/**
 * The index of jobs, kept: a thread with its file, and the feed that fills it. Whatever goes wrong with it, the rest of
 * the dashboard goes on: what needs it is refused with the reason until it is there again.
 */
import { join } from 'node:path';
import { InvalidRequestError, ShedError } from '@millrace/core';
import type { Store } from '@millrace/queue';
import { type DeskClient, startDesk } from './desk-client.ts';
import { openFeed } from './feed.ts';
import { BOUNDS, type Bounds, TROUBLE_MS } from './index-bounds.ts';
import type { JobIndex } from './job-index.ts';

const RETRY_SECONDS = 5;

/** @param dataDir the index is a file in its folder `dashboard-index` */
export function openJobIndex(store: Store, dataDir: string, bounds: Bounds = BOUNDS): JobIndex {
  const folder = join(dataDir, 'dashboard-index');
  let desk: DeskClient | null = null;
  let feed: ReturnType<typeof openFeed> | null = null;
  let trouble: string | null = null;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();

  const fail = (error: unknown): void => {
    // Redis away is told by the store, and by how far the index is behind.
    if (error instanceof ShedError) return;
    const reason = inWords(error);
    if (reason !== trouble) store.log.error({ err: error }, `The index of jobs is in trouble: ${reason}`);
    trouble = reason;
  };

  const openDesk = async (): Promise<void> => {
    desk ??= startDesk(
      { folder, bounds },
      (told) => store.log.warn({}, told),
      () => {
        desk = null;
        feed = null;
      },
    );
    if (feed !== null) return;
    await desk.open();
    if (desk !== null) feed = openFeed(store, desk, bounds);
  };

  const round = async (): Promise<void> => {
    let rest = TROUBLE_MS;
    try {
      await openDesk();
      if (feed !== null) rest = await feed.round();
      trouble = null;
    } catch (error) {
      if (!closed) fail(error);
    }
    if (!closed) timer = setTimeout(start, rest);
  };
  const start = (): void => {
    running = round();
  };
  start();

  const ask = async <T>(work: (open: DeskClient) => Promise<T>): Promise<T> => {
    if (desk === null || feed === null) throw unavailable(trouble ?? 'It is being opened.');
    try {
      return await work(desk);
    } catch (error) {
      fail(error);
      throw unavailable(inWords(error));
    }
  };

  return {
    find: (query, limit, after) => {
      if (after !== null && !/^\d{1,16}$/.test(after)) {
        throw new InvalidRequestError("'after' is not what the page before gave as 'next'.", 'after', 'invalid_value');
      }
      return ask((open) => open.find(query, limit, after));
    },
    cohorts: (span) => ask((open) => open.cohorts(span)),
    jobsOf: (cause, span, limit, left) => ask((open) => open.jobsOf(cause, span, limit, left)),
    forget: (ids) => ask((open) => open.forget(ids)),
    state: () => {
      const state = feed?.state() ?? null;
      const { jobs, bytes, since } = state?.totals ?? { jobs: 0, bytes: 0, since: null };
      const { until, making } = state ?? { until: null, making: null };
      return { jobs, bytes, since, until, making, trouble, bounds };
    },
    close: async () => {
      closed = true;
      clearTimeout(timer);
      // What is under way is given up: it is done again at the next start.
      await desk?.close();
      await running;
    },
  };
}

function unavailable(reason: string): ShedError {
  return new ShedError(503, `There is no index of jobs to look in: ${reason}`, 'index_unavailable', RETRY_SECONDS);
}

function inWords(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
