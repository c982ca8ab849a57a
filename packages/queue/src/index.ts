/** All that touches Redis: connections, the job record and its scripts, submitting, reading, cancelling, retention. */
export {
  type Action,
  type ActionKind,
  type ActionStatus,
  isActionId,
  listActions,
  noSuchAction,
  readAction,
} from './actions/action.ts';
export { createAction, MOST_ACTION_JOBS, resumeAction, stopAction } from './actions/create-action.ts';
export { keepActions } from './actions/keep-actions.ts';
export { type Act, type ActsPage, type NotedAct, noteAct, readActs } from './acts.ts';
export {
  type BeginReply,
  type Begun,
  beginAttempt,
  type EndTerms,
  finishByOutcome,
  type Spent,
  settleAttempt,
  type WriteReply,
} from './attempt.ts';
export { readBackground, writeBackground } from './background-known.ts';
export {
  type Batch,
  type BatchStatus,
  type LineError,
  noSuchBatch,
  readBatch,
} from './batches/batch.ts';
export type { BatchCounts, CodeCount, ModelTokens } from './batches/batch-counts.ts';
export { listBatches, openBatches, openBatchOfFile } from './batches/list-batches.ts';
export { retireJobs } from './batches/retire-jobs.ts';
export { createBatch, holdBatch, noteEnqueued, turnBatch } from './batches/write-batch.ts';
export { type Breaker, type Entry, openBreaker, type Pass } from './breaker/open-breaker.ts';
export { type BreakerStatus, readBreakers } from './breaker/read-breaker.ts';
export type { BreakerState } from './breaker/step.ts';
export { cancelJob, endedAmong, noSuchJob, onCancelled } from './cancel.ts';
export { type Change, type ChangeKind, type Changes, changesCursor, readChanges } from './changes.ts';
export { dropCheckpoint, writeCheckpoint } from './checkpoint.ts';
export { closeRedis, connectRedis } from './connect.ts';
export { beforeInConversation, conversationHash } from './conversation.ts';
export { dependOn, release, type Share, shareCall } from './dependents.ts';
export type { Submitted } from './enqueue.ts';
export { appendEvents, type EventsEntry, type StreamedEnd } from './events/append-events.ts';
export { awaitEnd } from './events/await-end.ts';
export { ENTRY_BYTES, EVENTS_BYTES } from './events/bounds.ts';
export { type Followed, followJob } from './events/follow-job.ts';
export { wantEvents } from './events/read-events.ts';
export { failPoison, failUnknown, OUTCOME_UNKNOWN } from './fail-lost.ts';
export {
  addFile,
  type FileRecord,
  type FilesQuery,
  keepFiles,
  listFiles,
  newFileId,
  noSuchFile,
  readFile,
  removeFile,
} from './files.ts';
export { countSteps, type StepCounts } from './flows/count-steps.ts';
export { cancelFlow, createFlow, noSuchFlow, retryFlow } from './flows/create-flow.ts';
export { type Flow, isFlowId, listFlowIds, listFlows, outlineOf, readFlow, refreshFlow } from './flows/flow-record.ts';
export { type JobUse, readMade, readSayings, readUse } from './flows/job-ends.ts';
export { jobErrors, jobStatuses } from './flows/job-fields.ts';
export { keepFlows } from './flows/keep-flows.ts';
export { stepJobs } from './flows/step-jobs.ts';
export { freeOrphans } from './free-orphans.ts';
export type { Durability, ServerFacts } from './guard.ts';
export { type Heartbeat, startHeartbeat } from './heartbeat.ts';
export type { Beat } from './heartbeat-thread.ts';
export { type History, readHistory } from './history/read-history.ts';
export { type JobOutline, readJobOutline } from './job-outline.ts';
export { bullPrefix, WEBHOOKS_PREFIX } from './keys.ts';
export type { Duty } from './lease.ts';
export { type ClosedFor, closeLimit, resumeLimit } from './limits/closing.ts';
export { type Estimates, openEstimates } from './limits/estimate.ts';
export { roomOf, type Standing, type WaitingFor } from './limits/held-up.ts';
export { type Line, openLine, type Place, UNUSED, type Want } from './limits/line.ts';
export { queueWaiting, readFirstDue } from './limits/queue-waiting.ts';
export type { KindStatus } from './limits/read-bucket.ts';
export {
  type GroupStatus,
  groupOf,
  groupsOf,
  type LimitStatus,
  type LimitsStatus,
  readLimits,
} from './limits/read-limits.ts';
export type { LineStatus } from './limits/read-line.ts';
export type { Gauge, Grant, LimitName, Settlement } from './limits/reserve.ts';
export { readWaiting, type TellWaiting } from './limits/waiting-for.ts';
export { keepLimitWatch } from './limits/watch-limits.ts';
export { type IdPage, type JobPage, type ListQuery, listJobIds, listJobs } from './list.ts';
export { findPrevious, type PreviousResponse } from './previous-response.ts';
export {
  countQueues,
  jobsWait,
  type QueueCounts,
  queueNamed,
  readCounters,
  setPaused,
} from './queues.ts';
export { type JobWithAnswer, lastFailures, readJob, readMany } from './read.ts';
export { type BoundedJob, type ReadBounds, readWithin } from './read-within.ts';
export { keepRepair } from './repair.ts';
export { findSent, noteSent } from './resend.ts';
export { failPastDeadline, keepRetention, removeJob } from './retention.ts';
export { retryJob } from './retry-job.ts';
export { type MinuteFigures, readMinutes } from './rollups/read-minutes.ts';
export {
  type CameTo,
  type DayFigures,
  readDays,
  readSpentTotals,
  type SpentFigures,
  tokensOf,
} from './rollups/read-spent.ts';
export { LATENCY_BUCKETS_SECONDS } from './scripts.ts';
export { readShadow, type ShadowReport } from './shadow/read-shadow.ts';
export {
  countDropped,
  type DropReason,
  type ShadowPair,
  type ShadowSide,
  writeShadow,
} from './shadow/write-shadow.ts';
export { noteSignedOut, wasSignedOut } from './signed-out.ts';
export { openStore, queueOfJob, type Store, type StoreOptions, type StoreQueue } from './store.ts';
export { type SubmitReply, submit } from './submit.ts';
export { bullPriority, jobPriority, type Ticket } from './ticket.ts';
export { hostedCalls } from './tool-calls.ts';
export { readTurns, type ToolOutput, type Turn, writeCallAgain, writeToolOutput, writeTurn } from './turns.ts';
export { countJobs, readIdentity, type WalkPage, walkJobs } from './walk.ts';
export {
  countDeliveries,
  type Delivery,
  type DeliveryStatus,
  type DeliveryView,
  listDeliveries,
  replayDelivery,
  type WebhookEvent,
} from './webhooks/deliveries.ts';
export { secretOf } from './webhooks/endpoints.ts';
export { keepOutbox, sendEvent } from './webhooks/outbox.ts';
export { type LiveWorker, readWorkers, tellWorker, type WorkerSelf } from './workers.ts';
