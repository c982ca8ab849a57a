/**
 * tell: from the outbox, where `finish` writes in the same step as the outcome: webhooks to their deliveries, jobs that
 * waited for this one back in line, flows a step on. What is done twice is as done once; an entry leaves the outbox only
 * when it is done.
 */
import { randomUUID } from 'node:crypto';
import type { EventType } from '@millrace/core';
import { release } from '../dependents.ts';
import { advanceFlows } from '../flows/advance-flow.ts';
import { type Duty, keepDuty } from '../lease.ts';
import type { Store, StoreQueue } from '../store.ts';
import { addDeliveries, type WebhookEvent } from './deliveries.ts';
import { endpointsOf } from './endpoints.ts';

const AT_ONCE = 200;
/** For what was left by a process that died in between: the one that writes also moves. */
const LEFT_EVERY_MS = 2000;

const moving = new WeakMap<StoreQueue, Promise<void>>();

/** Moves what is in a queue's outbox, in its own time. Never throws: what is left is moved later. */
export function emptyOutbox(store: Store, queue: StoreQueue): void {
  if (moving.has(queue)) return;
  const done = moveAll(store, queue)
    .catch((error: unknown) => store.log.warn({ err: error, queue: queue.name }, 'Webhooks wait to be queued'))
    .finally(() => moving.delete(queue));
  moving.set(queue, done);
}

/** Moves what is there. @throws ReplyError from Redis, or a connection error */
export async function moveAll(store: Store, queue: StoreQueue): Promise<void> {
  const { outbox } = queue.keys;
  for (;;) {
    const entries = await store.redis.lrange(outbox, 0, AT_ONCE - 1);
    if (entries.length === 0) return;
    const of = (kind: string): string[] =>
      entries.filter((entry) => entry.startsWith(`${kind} `)).map((entry) => entry.slice(kind.length + 1));
    await Promise.all([
      addDeliveries(
        store,
        entries.filter((entry) => entry.startsWith('evt_')).flatMap((entry) => deliveriesOf(store, entry)),
      ),
      release(store, of('release')),
      advanceFlows(store, of('flow')),
    ]);
    const pipeline = store.redis.pipeline();
    for (const entry of entries) pipeline.lrem(outbox, 1, entry);
    for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
  }
}

/** `<event id> <type> <ms> <job id> <the job's own URL, or nothing>` */
function deliveriesOf(store: Store, entry: string): { event: WebhookEvent; url: string }[] {
  const [id = '', type = '', at = '', job = '', own = ''] = entry.split(' ');
  const event = { id, type, createdAt: Number(at), data: { id: job } };
  return forEach(event, [...(own === '' ? [] : [own]), ...endpointsOf(store, type)]);
}

function forEach(event: WebhookEvent, urls: readonly string[]): { event: WebhookEvent; url: string }[] {
  return [...new Set(urls)].map((url) => ({ event, url }));
}

/**
 * Tells the configured endpoints of something that is no job's end.
 * @param id the same for the same event, however often it is sent; absent: a new one
 */
export async function sendEvent(
  store: Store,
  type: EventType,
  data: { id: string; [field: string]: unknown },
  id = `evt_${randomUUID().replaceAll('-', '')}`,
): Promise<void> {
  await addDeliveries(store, forEach({ id, type, createdAt: Date.now(), data }, endpointsOf(store, type)));
}

/** Moves what was left. One process of the fleet does it. */
export function keepOutbox(store: Store, holder: string): Duty {
  return keepDuty(
    store.redis,
    'outbox',
    holder,
    LEFT_EVERY_MS,
    async () => {
      const queues = [...store.queues.values()];
      const pipeline = store.redis.pipeline();
      for (const { keys } of queues) pipeline.llen(keys.outbox);
      const lengths = (await pipeline.exec()) ?? [];
      for (const [index, queue] of queues.entries()) if (Number(lengths[index]?.[1]) > 0) await moveAll(store, queue);
    },
    (error) => store.log.warn({ err: error }, 'Webhooks wait to be queued; trying again'),
  );
}
