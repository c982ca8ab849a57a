/**
 * take, for webhooks: their deliveries are a queue of their own, so a receiver that is slow or away holds up no job, and
 * no other receiver for longer than a try takes.
 */
import type { Log } from '@millrace/core';
import { type Delivery, type Store, secretOf, WEBHOOKS_PREFIX } from '@millrace/queue';
import { type Job, UnrecoverableError, Worker } from 'bullmq';
import { nowAndThen } from './now-and-then.ts';
import { sendWebhook } from './send-webhook.ts';

const AT_ONCE = 20;
/** Renewed while a try lasts. A worker that dies in a try holds its delivery up by this and one look for such. */
const LOCK_MS = 10_000;
const STALLED_LOOK_MS = 5000;
const FIRST_MS = 5000;
const LONGEST_MS = 3_600_000;
const CLOSE_BOUND_MS = 5000;

export interface Webhooks {
  /** What is under way is tried again by another worker. Bounded. */
  close(): Promise<void>;
}

export function takeWebhooks(store: Store, log: Log): Webhooks {
  const { hours, allow } = store.config.webhooks;
  const tell = nowAndThen((error) => log.warn({ err: error }, 'Webhooks cannot be delivered; trying again'));
  const deliver = async (job: Job<Delivery>): Promise<string> => {
    const { event, url } = job.data;
    let status: number | null = null;
    let error: string | null = null;
    try {
      status = await sendWebhook(event, { url, allow, secret: await secretOf(store, url) });
    } catch (fault) {
      error = fault instanceof Error ? fault.message : String(fault);
    }
    await job.updateData({ ...job.data, last: { at: Date.now(), status, error } });
    if (status !== null && status >= 200 && status < 300) return String(status);
    const why = error ?? `answered ${status}`;
    // Gone is the receiver's word for: not any more.
    if (status === 410) throw new UnrecoverableError(why);
    throw new Error(why);
  };
  const worker = new Worker<Delivery>('webhooks', deliver, {
    connection: store.redis,
    prefix: WEBHOOKS_PREFIX,
    concurrency: AT_ONCE,
    lockDuration: LOCK_MS,
    stalledInterval: STALLED_LOOK_MS,
    maxStalledCount: Number.MAX_SAFE_INTEGER,
    runRetryDelay: 500,
    settings: {
      backoffStrategy: (attempts, _type, _error, job) => {
        const { since } = (job as Job<Delivery>).data;
        return Date.now() - since > hours * 3_600_000 ? -1 : backoffMs(attempts);
      },
    },
  });
  worker.on('error', tell);
  worker.on('failed', (job) => {
    if (job === undefined || job.finishedOn === undefined) return;
    log.warn({ event: job.data.event.id, reason: job.failedReason }, 'A webhook was not delivered and is given up');
  });
  return {
    close: async () => {
      let bound: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        bound = setTimeout(resolve, CLOSE_BOUND_MS);
      });
      await Promise.race([worker.close(), late]);
      clearTimeout(bound);
    },
  };
}

/** 5, 10, 20 s … an hour, each shortened by chance by up to a half: receivers that come back are not hit by all at once. */
function backoffMs(attempts: number): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.max(0, attempts - 1));
  return Math.round(full * (0.5 + Math.random() / 2));
}
