/** All that touches Redis: connections, the job record and its scripts, submitting, reading, cancelling, retention. */
export {
  type BeginReply,
  type Begun,
  beginAttempt,
  finishByOutcome,
  settleAttempt,
  type WriteReply,
} from './attempt.ts';
export { cancelJob, noSuchJob, onCancelled } from './cancel.ts';
export { closeRedis, connectRedis } from './connect.ts';
export type { Durability, ServerFacts } from './guard.ts';
export { bullPrefix } from './keys.ts';
export type { Duty } from './lease.ts';
export {
  countQueues,
  type QueueCounts,
  queueNamed,
  readCounters,
  setPaused,
} from './queues.ts';
export { type JobPage, type JobWithAnswer, type ListQuery, lastFailures, listJobs, readJob } from './read.ts';
export { failPastDeadline, keepRetention, removeJob } from './retention.ts';
export { retryJob } from './retry-job.ts';
export { LATENCY_BUCKETS_SECONDS } from './scripts.ts';
export { openStore, queueOfJob, type Store, type StoreOptions, type StoreQueue } from './store.ts';
export { type SubmitReply, type Submitted, submit, type Ticket } from './submit.ts';
