/**
 * tell: from the outbox, where `finish` writes in the same step as the outcome: webhooks to their deliveries, jobs that
 * waited for this one back in line, flows a step on. What is done twice is as done once; an entry leaves the outbox only
 * when it is done. What cannot be done now (a flow whose next queue is full, say) makes way and is tried again later.
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
/** Of what had to make way, so much is tried again in one round. */
const AGAIN_AT_ONCE = 1000;

const moving = new WeakMap<StoreQueue, Promise<void>>();

/** Moves what is in a queue's outbox, in its own time. Never throws: what is left is moved later. */
export function emptyOutbox(store: Store, queue: StoreQueue): void {
  if (moving.has(queue)) return;
  const done = moveAll(store, queue)
    .catch((error: unknown) => store.log.warn({ err: error, queue: queue.name }, 'Webhooks wait to be queued'))
    .finally(() => moving.delete(queue));
  moving.set(queue, done);
}

/**
 * Moves what is there.
 * @throws ReplyError from Redis, or a connection error; what it was about is put aside, and all else moved
 */
export async function moveAll(store: Store, queue: StoreQueue): Promise<void> {
  const { outbox, outboxAside } = queue.keys;
  for (;;) {
    const entries = await store.redis.lrange(outbox, 0, AT_ONCE - 1);
    if (entries.length === 0) return;
    const { aside, errors } = await moveEntries(store, entries);
    const transaction = store.redis.multi();
    for (const entry of entries) transaction.lrem(outbox, 1, entry);
    if (aside.length > 0) transaction.rpush(outboxAside, ...aside);
    for (const [error] of (await transaction.exec()) ?? []) if (error) throw error;
    if (errors.length > 0) throw errors[0];
  }
}

/** @returns the entries that are to be tried again, and why, where that is worth telling */
async function moveEntries(store: Store, entries: readonly string[]): Promise<{ aside: string[]; errors: unknown[] }> {
  const deliveries = entries.filter((entry) => entry.startsWith('evt_'));
  const releases = entries.filter((entry) => entry.startsWith(RELEASE));
  const ends = entries.filter((entry) => entry.startsWith(FLOW)).map((entry) => entry.slice(FLOW.length));
  const aside: string[] = [];
  const errors: unknown[] = [];
  const orAside = async (part: readonly string[], move: Promise<void>): Promise<void> => {
    try {
      await move;
    } catch (error) {
      aside.push(...part);
      errors.push(error);
    }
  };
  const [stuck] = await Promise.all([
    advanceFlows(store, ends),
    orAside(
      deliveries,
      addDeliveries(
        store,
        deliveries.flatMap((entry) => deliveriesOf(store, entry)),
      ),
    ),
    orAside(
      releases,
      release(
        store,
        releases.map((entry) => entry.slice(RELEASE.length)),
      ),
    ),
  ]);
  return { aside: [...aside, ...stuck.map((flow) => `${FLOW}${flow}`)], errors };
}

const RELEASE = 'release ';
/** `flow <id> <job>`: that job has ended; without one: the flow is to be looked at again. */
const FLOW = 'flow ';

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

/** Moves what was left, or put aside. One process of the fleet does it. */
export function keepOutbox(store: Store, holder: string): Duty {
  const warn = (error: unknown): void => store.log.warn({ err: error }, 'Webhooks wait to be queued; trying again');
  return keepDuty(
    store.redis,
    'outbox',
    holder,
    LEFT_EVERY_MS,
    async () => {
      for (const queue of store.queues.values()) await moveLeft(store, queue).catch(warn);
    },
    warn,
  );
}

/** Moves what a queue's outbox still has, with what was put aside. @throws as moveAll */
export async function moveLeft(store: Store, queue: StoreQueue): Promise<void> {
  const { outbox, outboxAside } = queue.keys;
  const [left, aside] = await Promise.all([store.redis.llen(outbox), store.redis.llen(outboxAside)]);
  const pipeline = store.redis.pipeline();
  for (let moved = 0; moved < Math.min(aside, AGAIN_AT_ONCE); moved++) {
    pipeline.lmove(outboxAside, outbox, 'LEFT', 'RIGHT');
  }
  if (aside > 0) await pipeline.exec();
  if (left + aside > 0) await moveAll(store, queue);
}
