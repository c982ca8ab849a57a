/**
 * The line of a conversation upstream: it grows with each answer, so jobs of a queue that name the same one are called
 * one after the other, in the order in which they were submitted. Jobs stand in it from submit to finish.
 */
import { createHash } from 'node:crypto';
import { conversationOf, isTerminal, type Job, type JobStatus, type NewJob, type ResponsesBody } from '@millrace/core';
import type { Store, StoreQueue } from './store.ts';

/** What the line of a request's conversation is named by; null where it is of none. Hashed: callers choose any bytes. */
export function conversationHash(body: NewJob['body'] | Job['body']): string | null {
  const id = conversationOf(body as ResponsesBody);
  return id === null ? null : createHash('sha256').update(id).digest('base64url');
}

/**
 * The job before this one in its line, which has not ended; null when it is this one's turn.
 * @throws ReplyError from Redis, or a connection error
 */
export async function beforeInConversation(
  store: Store,
  queue: StoreQueue,
  id: string,
  conversation: string,
): Promise<string | null> {
  const line = queue.keys.conversation(conversation);
  // Its place among the others may change between two reads; its score does not.
  const score = await store.redis.zscore(line, id);
  if (score === null) return null;
  for (;;) {
    const [before] = await store.redis.zrange(line, `(${score}`, '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, 1);
    if (before === undefined) return null;
    const status = (await store.redis.hget(queue.keys.job(before), 'status')) as JobStatus | null;
    if (status !== null && !isTerminal(status)) return before;
    // It takes a fault to get here; but nobody must wait for ever for what does not come.
    await store.redis.zrem(line, before);
  }
}
