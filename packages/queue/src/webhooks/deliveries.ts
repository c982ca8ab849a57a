/** Deliveries of webhooks: an event for one URL each, in a BullMQ queue of their own. */
import { createHash } from 'node:crypto';
import { ConflictError, NotFoundError } from '@millrace/core';
import type { Job as BullJob, JobState, JobsOptions } from 'bullmq';
import type { Store } from '../store.ts';

/** As it is sent. */
export interface WebhookEvent {
  id: string;
  type: string;
  /** Milliseconds of Redis's clock. */
  createdAt: number;
  data: { id: string; [field: string]: unknown };
}

/** What BullMQ keeps. No secret: it is looked up when it is needed. */
export interface Delivery {
  event: WebhookEvent;
  url: string;
  /** Since when it is tried, ms: its time is over after `webhooks.hours`. */
  since: number;
  /** What the last try came to. */
  last?: { at: number; status: number | null; error: string | null };
}

const DELIVERED_KEPT = { age: 86_400, count: 1000 };
const DEAD_KEPT = { age: 30 * 86_400, count: 10_000 };
/** Bounded by time, not by number. */
const ATTEMPTS = 1_000_000;

/** Queues deliveries. The same event for the same URL is queued once, however often it is added. */
export async function addDeliveries(
  store: Store,
  deliveries: readonly { event: WebhookEvent; url: string }[],
): Promise<void> {
  if (deliveries.length === 0) return;
  await store.webhooks.addBulk(
    deliveries.map(({ event, url }) => ({
      name: event.type,
      data: { event, url, since: Date.now() },
      opts: {
        jobId: `${event.id}-${createHash('sha1').update(url).digest('hex').slice(0, 8)}`,
        attempts: ATTEMPTS,
        backoff: { type: 'custom' },
        removeOnComplete: DELIVERED_KEPT,
        removeOnFail: DEAD_KEPT,
      } satisfies JobsOptions,
    })),
  );
}

export type DeliveryStatus = 'pending' | 'delivered' | 'dead';

export interface DeliveryView {
  id: string;
  status: DeliveryStatus;
  event: WebhookEvent;
  url: string;
  attempts: number;
  last: Delivery['last'] | null;
  /** When it is tried next, ms; null where it is not, or at once. */
  nextAt: number | null;
}

const STATES: Record<DeliveryStatus, JobState[]> = {
  pending: ['active', 'waiting', 'delayed', 'prioritized'],
  delivered: ['completed'],
  dead: ['failed'],
};

/** Some deliveries of one status, newest first. */
export async function listDeliveries(
  store: Store,
  status: DeliveryStatus,
  from: number,
  limit: number,
): Promise<DeliveryView[]> {
  const states = STATES[status] as Parameters<typeof store.webhooks.getJobs>[0];
  const jobs = await store.webhooks.getJobs(states, from, from + limit - 1, false);
  return jobs.filter((job) => job != null).map((job) => viewOf(job, status));
}

/** How many there are of each. */
export async function countDeliveries(store: Store): Promise<Record<DeliveryStatus, number>> {
  const counts = await store.webhooks.getJobCounts('active', 'waiting', 'delayed', 'completed', 'failed');
  const { active = 0, waiting = 0, delayed = 0, completed = 0, failed = 0 } = counts;
  return { pending: active + waiting + delayed, delivered: completed, dead: failed };
}

/**
 * Delivers again what was delivered, or is dead.
 * @throws NotFoundError, or ConflictError when it is under way anyhow
 */
export async function replayDelivery(store: Store, id: string): Promise<DeliveryView> {
  const job = await store.webhooks.getJob(id);
  if (job === undefined) throw new NotFoundError(`There is no delivery '${id.slice(0, 80)}' (any more).`, 'id');
  const state = await job.getState();
  if (state !== 'completed' && state !== 'failed') {
    throw new ConflictError(`The delivery ${id} is under way.`, 'id', 'delivery_pending');
  }
  await job.updateData({ ...job.data, since: Date.now() });
  await job.retry(state, { resetAttemptsMade: true });
  return viewOf(job, 'pending');
}

function viewOf(job: BullJob<Delivery>, status: DeliveryStatus): DeliveryView {
  const { event, url, last } = job.data;
  const nextAt = status === 'pending' && job.delay > 0 ? job.timestamp + job.delay : null;
  return { id: job.id as string, status, event, url, attempts: job.attemptsMade, last: last ?? null, nextAt };
}
