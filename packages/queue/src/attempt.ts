/**
 * The life of an attempt in Redis: begin records its intent and fences it, settle ends it when the job goes on, finish
 * ends the job. Two round trips for a job that goes well.
 */

import { randomUUID } from 'node:crypto';
import type {
  Answer,
  AttemptLine,
  AttemptTimeline,
  ExtractBody,
  JobError,
  JobType,
  Outcome,
  Reattachable,
  ResponsesBody,
  TerminalStatus,
  UpstreamApi,
  Usage,
} from '@millrace/core';
import { checkpointText, readCheckpoint } from './checkpoint.ts';
import { entryArgs, type StreamedEnd } from './events/append-events.ts';
import { type AttemptEnd, attemptEndJson, LOST_ATTEMPT, LOST_REATTACHABLE_ATTEMPT, readJson } from './job-record.ts';
import { CANCEL_CHANNEL } from './keys.ts';
import { runScript } from './scripts.ts';
import type { Store, StoreQueue } from './store.ts';
import { countsJson, hostedCalls } from './tool-calls.ts';
import { type Turn, turnArgs } from './turns.ts';
import { wantsEvent } from './webhooks/endpoints.ts';
import { emptyOutbox } from './webhooks/outbox.ts';

export interface Begun {
  kind: 'begun';
  /** The attempt's number and its fence. */
  epoch: number;
  /** Redis's clock at the start, ms. */
  startedAt: number;
  /** Attempts used up before this one. */
  counted: number;
  deadline: number | null;
  type: JobType;
  model: string | null;
  body: ResponsesBody | ExtractBody;
  /** An earlier attempt's response, still being made or made upstream: to be carried on with instead of called again. */
  checkpoint: Reattachable | null;
  /** There was a checkpoint, and it cannot be read. */
  checkpointDamaged: boolean;
  /** Its events are wanted. */
  stream: boolean;
  /** Some of its calls have been made (see `readTurns`). */
  hasTurns: boolean;
  metadata: Record<string, string> | null;
}

export type BeginReply =
  | Begun
  /** There is nothing to do: the job is gone, or has its outcome already. */
  | { kind: 'missing' }
  /** `checkpoint`: a response that may still be made upstream though nobody wants it any more. */
  | { kind: 'terminal'; checkpoint: Reattachable | null }
  | { kind: 'expired' }
  | { kind: 'early'; inMs: number }
  /** Its worker may have died: that will be known by then, and it is to begin again. */
  | { kind: 'unsure'; inMs: number }
  /** Its worker died more than once while it ran: nothing has begun, and nothing does unless it is isolated. */
  | { kind: 'suspect' }
  /** A call that may be on the bill was lost, and its queue would rather look than pay twice: it is to be failed. */
  | { kind: 'unknown' }
  /**
   * It was in flight at so many crashes that it must be the cause: it is to be failed. `crashes` of whole workers,
   * `alone` of processes in which it was isolated.
   */
  | { kind: 'poison'; crashes: number; alone: number; checkpoint: Reattachable | null }
  /** The attempt has begun, but its request cannot be read: there is nothing that could be sent. */
  | { kind: 'damaged'; epoch: number; counted: number };

/** BullMQ promotes delayed jobs by the worker's clock: a start this much before Redis's own time is let pass. */
const EARLY_SLACK_MS = 25;

export interface BeginTerms {
  /** The process, as it is named on the attempt. */
  worker: string;
  /** The attempt will run in a process where nothing else does. */
  isolated?: boolean;
  /** A call that was lost, and may be on the bill, is not to be repeated. */
  failUnknown?: boolean;
}

/**
 * Records the intent of an attempt. Nothing may be sent unless the reply is `begun`.
 * @throws ReplyError from Redis, or a connection error once the store is closed
 */
export async function beginAttempt(
  store: Store,
  queue: StoreQueue,
  id: string,
  { worker, isolated = false, failUnknown = false }: BeginTerms,
): Promise<BeginReply> {
  const { keys } = queue;
  const reply = (await runScript(
    store.redis,
    'begin',
    [keys.job(id), keys.status('queued'), keys.status('in_progress'), keys.counters, keys.workers, keys.beats],
    [
      ...[id, worker, EARLY_SLACK_MS, LOST_ATTEMPT, randomUUID(), LOST_REATTACHABLE_ATTEMPT],
      ...[isolated ? 1 : 0, failUnknown ? 1 : 0],
    ],
  )) as string[];
  const [kind, ...rest] = reply;
  if (kind === 'early' || kind === 'unsure') return { kind, inMs: Number(rest[0]) };
  if (kind === 'poison') {
    return { kind, crashes: Number(rest[0]), alone: Number(rest[1]), checkpoint: readCheckpoint(rest[2]) };
  }
  if (kind === 'terminal') return { kind, checkpoint: readCheckpoint(rest[0]) };
  if (kind !== 'begun') return { kind: kind as 'missing' | 'expired' | 'suspect' | 'unknown' };
  const [epoch, startedAt, counted, deadline, type, model, body, checkpoint, stream, turns, metadata] = rest;
  const fence = { epoch: Number(epoch), counted: Number(counted) };
  const request = readJson<Begun['body']>(body);
  if (request === null) return { kind: 'damaged', ...fence };
  return {
    kind,
    ...fence,
    startedAt: Number(startedAt),
    deadline: deadline ? Number(deadline) : null,
    type: type as JobType,
    model: model || null,
    body: request,
    checkpoint: readCheckpoint(checkpoint),
    checkpointDamaged: !!checkpoint && readCheckpoint(checkpoint) === null,
    stream: stream === '1',
    hasTurns: !!turns,
    metadata: readJson<Record<string, string>>(metadata),
  };
}

/** How a write was received. Anything but the first says: somebody else decided already; do nothing more. */
export type WriteReply = 'written' | 'terminal' | 'stale' | 'missing' | 'early';

/**
 * Ends an attempt whose job goes on.
 * @param delayMs until the next attempt may start; 0 = at once
 */
export async function settleAttempt(
  store: Store,
  queue: StoreQueue,
  id: string,
  epoch: number,
  outcome: Extract<Outcome, { kind: 'retry' | 'interrupted' }>,
  delayMs: number,
  { spent = spentBy(outcome), turn, api = null, timeline = null, log = null }: EndTerms = {},
): Promise<WriteReply> {
  const { keys } = queue;
  const end = { ...attemptEnd(outcome), usage: spent.attempt, api, timeline, log };
  const { uncounted, uncountedCalls } = spent;
  const reply = (await runScript(
    store.redis,
    'settle',
    [keys.job(id), keys.status('queued'), keys.status('in_progress'), keys.counters, keys.turns(id)],
    [
      ...[id, epoch, `${end.outcome}:${end.reason}`, attemptEndJson(end), end.counted ? 1 : 0, Math.ceil(delayMs)],
      ...[end.possibly_billed ? 1 : 0, uncounted?.input_tokens ?? 0, uncounted?.output_tokens ?? 0],
      outcome.reattach === undefined ? '' : checkpointText(outcome.reattach),
      ...[uncounted?.input_tokens_details.cached_tokens ?? 0, countsJson(uncountedCalls)],
      ...(turn === undefined ? [''] : turnArgs(turn)),
    ],
  )) as string;
  return reply === 'settled' ? 'written' : (reply as WriteReply);
}

/** The tokens of a job that may take several calls. */
export interface Spent {
  /** All of them. */
  job: Usage | null;
  /** In this attempt. */
  attempt: Usage | null;
  /** What no turn has counted. */
  uncounted: Usage | null;
  /** Calls of the upstream's own tools that no turn has counted, by the type of their items. */
  uncountedCalls: Record<string, number>;
}

function spentBy(outcome: Outcome): Spent {
  const { usage = null } = outcome;
  const uncountedCalls = hostedCalls('answer' in outcome ? outcome.answer?.response.output : undefined);
  return { job: usage, attempt: usage, uncounted: usage, uncountedCalls };
}

/** What is stored of an attempt that ended with this Outcome. */
function attemptEnd(outcome: Outcome): Omit<AttemptEnd, 'api' | 'timeline' | 'log'> {
  return {
    outcome: outcome.kind,
    reason: 'reason' in outcome && outcome.kind !== 'incomplete' ? outcome.reason : null,
    error: 'error' in outcome ? outcome.error : null,
    upstream_id: outcome.upstreamId ?? null,
    usage: outcome.usage ?? null,
    possibly_billed: 'possiblyBilled' in outcome && outcome.possiblyBilled,
    counted:
      outcome.kind === 'retry'
        ? outcome.countsAsAttempt
        : outcome.kind !== 'interrupted' && outcome.kind !== 'cancelled',
  };
}

export interface EndTerms {
  /** The end of its events, where the answer was streamed to its end. */
  streamed?: StreamedEnd | null;
  /** Where it took more than this one call. */
  spent?: Spent;
  /** Noted where the job goes on: the answer that its next attempt goes on from. */
  turn?: Turn;
  /** The job whose answer it is, where it made no call. */
  answeredBy?: string;
  /** Which way the call went that the answer, or the failure, is of. */
  api?: UpstreamApi | null;
  timeline?: AttemptTimeline | null;
  log?: AttemptLine[] | null;
}

/**
 * Ends the job by what its attempt came to.
 */
export function finishByOutcome(
  store: Store,
  queue: StoreQueue,
  id: string,
  epoch: number,
  outcome: Extract<Outcome, { kind: 'completed' | 'incomplete' | 'failed' | 'cancelled' }>,
  { streamed = null, spent = spentBy(outcome), answeredBy, api = null, timeline = null, log = null }: EndTerms = {},
): Promise<WriteReply> {
  const end = { ...attemptEnd(outcome), usage: spent.attempt, api, timeline, log };
  const answer = 'answer' in outcome ? (outcome.answer ?? null) : null;
  return finish(store, queue, id, {
    to: outcome.kind,
    epoch,
    // An answer that was read whole is paid for: it is taken even from an attempt that lost its fence.
    paid: outcome.kind === 'completed' || outcome.kind === 'incomplete',
    end,
    answer,
    error: outcome.kind === 'failed' ? outcome.error : null,
    usage: spent.job,
    uncounted: spent.uncounted,
    uncountedCalls: answeredBy === undefined ? spent.uncountedCalls : {},
    streamed,
    ...(answeredBy === undefined ? {} : { answeredBy }),
  });
}

export interface Finish {
  to: TerminalStatus;
  /** null: not from an attempt (cancel, deadline). */
  epoch: number | null;
  paid: boolean;
  /** How the attempt ended, or how an attempt that is open at this moment is to be closed. */
  end: AttemptEnd;
  answer: Answer | null;
  error: JobError | null;
  usage: Usage | null;
  /** Finish only if the job is past its deadline. */
  onlyPastDeadline?: boolean;
  streamed?: StreamedEnd | null;
  /** Of `usage`, what is not counted yet. Absent: all. */
  uncounted?: Usage | null;
  uncountedCalls?: Record<string, number>;
  /** The job whose answer it is, where that is not its own. */
  answeredBy?: string;
}

const FAILURES_KEPT = 100;
/** What is not to be stored is forgotten when it was delivered; if nobody comes for it, after so long. */
const FORGOTTEN_AFTER_MS = 600_000;

/**
 * The one way to a terminal status. A paid answer of an attempt that was taken for lost may come while a newer attempt
 * runs: that one is closed, and its worker told.
 */
export async function finish(store: Store, queue: StoreQueue, id: string, write: Finish): Promise<WriteReply> {
  const { keys } = queue;
  const { end } = write;
  const spent = write.uncounted === undefined ? write.usage : write.uncounted;
  const label = `${end.outcome}:${end.reason ?? 'none'}`;
  const [reply, superseded, told] = (await runScript(
    store.redis,
    'finish',
    [
      ...[keys.job(id), keys.status('queued'), keys.status('in_progress'), keys.status(write.to), keys.result(id)],
      ...[keys.finished, keys.deadlines, keys.failures, keys.counters, keys.events(id), keys.outbox],
      keys.dependents(id),
      keys.changes,
    ],
    [
      ...[id, write.to, write.epoch ?? '', write.paid ? 1 : 0, label, attemptEndJson(end)],
      ...[json(write.answer), json(write.error), json(write.usage), end.possibly_billed ? 1 : 0],
      ...[spent?.input_tokens ?? 0, spent?.output_tokens ?? 0, FAILURES_KEPT],
      ...[write.onlyPastDeadline ? 1 : 0, LOST_ATTEMPT, LOST_REATTACHABLE_ATTEMPT],
      Math.max(0, store.config.retention.seconds * 1000 - FORGOTTEN_AFTER_MS),
      wantsEvent(store, `response.${write.to}`) ? 1 : 0,
      Math.round((store.config.queues[queue.name]?.cache?.seconds ?? 0) * 1000),
      ...[spent?.input_tokens_details.cached_tokens ?? 0, write.answeredBy ?? ''],
      countsJson(write.uncountedCalls ?? {}),
      ...streamedArgs(write.streamed ?? null),
    ],
  )) as [string, number?, number?];
  if (told === 1) emptyOutbox(store, queue);
  if (superseded === 1) await store.redis.publish(CANCEL_CHANNEL, id);
  return reply === 'finished' ? 'written' : (reply as WriteReply);
}

function streamedArgs(streamed: StreamedEnd | null): (string | number)[] {
  if (streamed === null) return ['', 0];
  return [streamed.sequence, streamed.fresh ? 1 : 0, ...entryArgs(streamed.entries)];
}

function json(value: unknown): string {
  return value === null ? '' : JSON.stringify(value);
}
