/** For tests that look at what is stored: short ways to submit a job and to begin and end its attempts. */
import type { NewJob, Outcome } from '@millrace/core';
import { type Begun, beginAttempt } from '../attempt.ts';
import type { Store, StoreQueue } from '../store.ts';
import { submit } from '../submit.ts';
import { newJob } from './store.ts';

export const COMPLETED: Extract<Outcome, { kind: 'completed' }> = {
  kind: 'completed',
  answer: { response: { id: 'resp_upstream', object: 'response' }, output_text: 'an answer', usage: null },
};

export const FAILED: Extract<Outcome, { kind: 'failed' }> = {
  kind: 'failed',
  reason: 'bad_request',
  error: { code: 'bad', message: 'a refusal' },
  possiblyBilled: false,
};

export const RETRY: Extract<Outcome, { kind: 'retry' }> = {
  kind: 'retry',
  reason: 'upstream_error',
  error: { code: 'server_error', message: 'a hiccup' },
  afterMs: 0,
  countsAsAttempt: true,
  possiblyBilled: true,
};

export function queueOf(store: Store, name = 'generate'): StoreQueue {
  const queue = store.queues.get(name);
  if (queue === undefined) throw new Error(`the test's store has no queue '${name}'`);
  return queue;
}

/** Submits one job; its id. @throws what the job was refused with. */
export async function submitOne(store: Store, fields: Partial<NewJob> = {}): Promise<string> {
  const [reply] = await submit(store, [newJob(fields)]);
  if (reply === undefined || reply instanceof Error) throw reply;
  return reply.id;
}

/** Begins an attempt that is expected to begin. */
export async function begin(store: Store, id: string, queue = queueOf(store)): Promise<Begun> {
  const reply = await beginAttempt(store, queue, id, { worker: 'test-worker' });
  if (reply.kind !== 'begun') throw new Error(`the attempt did not begin: ${reply.kind}`);
  return reply;
}

/** All keys of the server. */
export async function allKeys(store: Store): Promise<string[]> {
  return (await store.redis.keys('*')).sort();
}
