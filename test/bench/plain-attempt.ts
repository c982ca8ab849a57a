/**
 * attempt.ts with recording off, for the benchmark only: the request is read and the answer is stored, each in one plain
 * round trip. No intent, no epoch and no fence, no refusal of a job that is cancelled or has ended, no history of
 * attempts, no counters, no listing by status. A worker that dies with this loses and repeats what it likes.
 */
import type { Outcome, ResponsesBody } from '@millrace/core';
import { type BeginReply, settleAttempt, type WriteReply } from '../../packages/queue/src/attempt.ts';
import { readJson } from '../../packages/queue/src/job-record.ts';
import type { Store, StoreQueue } from '../../packages/queue/src/store.ts';

// What a round without failures never calls stays what it is.
export { finish } from '../../packages/queue/src/attempt.ts';
export { settleAttempt };

/** Reads the request; one HMGET. */
export async function beginAttempt(store: Store, { keys }: StoreQueue, id: string): Promise<BeginReply> {
  const [type, model, body] = await store.redis.hmget(keys.job(id), 'type', 'model', 'body');
  const request = readJson<ResponsesBody>(body);
  if (type !== 'generate' || request === null) return { kind: 'missing' };
  return {
    kind: 'begun',
    epoch: 1,
    startedAt: Date.now(),
    counted: 0,
    deadline: null,
    type,
    model: model ?? null,
    body: request,
    checkpoint: null,
    checkpointDamaged: false,
    stream: false,
    hasTurns: false,
    metadata: null,
  };
}

/** Stores status and answer; one round trip, as two commands on their way together: cheaper for ioredis than a pipeline. */
export async function finishByOutcome(
  store: Store,
  { keys }: StoreQueue,
  id: string,
  _epoch: number,
  outcome: Extract<Outcome, { kind: 'completed' | 'incomplete' | 'failed' | 'cancelled' }>,
): Promise<WriteReply> {
  const answer = 'answer' in outcome ? (outcome.answer ?? null) : null;
  await Promise.all([
    store.redis.hset(keys.job(id), 'status', outcome.kind, 'usage', JSON.stringify(outcome.usage ?? null)),
    store.redis.set(keys.result(id), JSON.stringify(answer)),
  ]);
  return 'written';
}
