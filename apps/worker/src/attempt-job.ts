/**
 * One attempt at a job that was taken: its intent is recorded, it is run, and its Outcome becomes a queue verb. The job
 * record decides; BullMQ is told afterwards, so a crash in between repeats nothing but the telling.
 */
import { backoffMs, type Log, type Outcome, type QueueConfig, type Reattachable } from '@millrace/core';
import {
  beginAttempt,
  dropCheckpoint,
  failPastDeadline,
  failPoison,
  failUnknown,
  findPrevious,
  finishByOutcome,
  OUTCOME_UNKNOWN,
  type Store,
  type StoreQueue,
  type StreamedEnd,
  settleAttempt,
  type Ticket,
  type WriteReply,
  writeCheckpoint,
} from '@millrace/queue';
import type { Admission } from './admission.ts';
import type { PreviousIds } from './event-frames.ts';
import { openEventSink } from './event-sink.ts';
import type { FollowUps } from './follow-ups.ts';
import { logAttempt } from './log-attempt.ts';
import { paused } from './paused.ts';
import type { AttemptInput, AttemptRun } from './run-attempt.ts';
import { untilWritten } from './until-written.ts';

/** What can be done with a taken job's BullMQ entry. Each ends the take: BullMQ is told by what is thrown. */
export interface Verbs {
  /** Back to the head of its line. */
  giveBack(): Promise<never>;
  delay(ms: number): Promise<never>;
  /** Back to the head of its line, and no more of the queue's jobs are taken for so long. */
  hold(ms: number): Promise<never>;
  /** @param reason for whoever looks at BullMQ; the whole of it is on the record */
  fail(reason: string): never;
}

export interface Taken {
  id: string;
  ticket: Ticket;
  /** 0 first … 9. */
  priority: number;
  controller: AbortController;
  verbs: Verbs;
}

export interface AttemptTerms {
  store: Store;
  queue: StoreQueue;
  settings: QueueConfig;
  /** This process, as it is named on attempts. */
  worker: string;
  /** Cancels a response that is still made upstream though its job has ended. Bounded, never throws. */
  abandon: (response: Reattachable) => Promise<unknown>;
  admission: Admission;
  followUps: FollowUps;
  log: Log;
}

/**
 * @param isolated whether `run` runs it in a process of its own, as a suspect must be
 * @returns a word for BullMQ, never the answer; 'suspect': nothing has begun, and nothing does unless it is isolated
 */
export type AttemptJob = (taken: Taken, run: AttemptRun, isolated: boolean) => Promise<string>;

/** The upstream refused the key, not the job. */
const HELD_BY_LIMIT: ReadonlySet<string> = new Set(['rate_limited', 'insufficient_quota', 'unauthorized']);
/** From this attempt on all count: some hours of an upstream that is away, at the default backoff; the record is bounded. */
const MOST_UNCOUNTED = 200;

/** Binds what all attempts at a queue's jobs share. */
export function attemptJob(options: AttemptTerms): AttemptJob {
  const { store, queue, settings, log } = options;

  /** Nobody waits for the response of a job that has ended, or ends now. */
  const abandon = async (id: string, checkpoint: Reattachable | null): Promise<void> => {
    if (checkpoint === null) return;
    await options.abandon(checkpoint);
    await dropCheckpoint(store, queue, id);
  };

  /** reserve: nothing has begun, and no attempt is used up, before the call may start. */
  const attempt = async (taken: Taken, run: AttemptRun, isolated: boolean): Promise<string> => {
    const { id, ticket, priority, controller, verbs } = taken;
    const found = ticket.previous === undefined ? null : await findPrevious(store, ticket.previous);
    if (found?.kind === 'unfinished') {
      return verbs.delay(await options.followUps.waitFor(id, ticket.previous as string));
    }
    if (found?.kind === 'lost') {
      const { code, message } = found;
      return called(
        taken,
        null,
        async () => refused(code, message),
        isolated,
        () => undefined,
      );
    }
    const previous =
      found?.kind === 'answered' ? { ours: ticket.previous as string, upstreams: found.upstreamId } : null;
    const place = await options.admission.admit(settings, { id, ticket, priority, signal: controller.signal });
    switch (place.kind) {
      case 'aborted':
        return verbs.giveBack();
      case 'held':
        return verbs.hold(place.inMs);
      case 'never': {
        const { tokensPerMinute } = place;
        return called(
          taken,
          previous,
          async () => tooLarge(settings.limit, tokensPerMinute),
          isolated,
          () => undefined,
        );
      }
      case 'admitted': {
        let made = false;
        const running = async (input: AttemptInput): Promise<Outcome> => {
          made = true;
          const outcome = await runOrFault(run, input);
          place.settle(outcome);
          return outcome;
        };
        try {
          return await called(taken, previous, running, isolated, place.told);
        } finally {
          if (!made) place.settle(null);
        }
      }
    }
  };

  const called = async (
    { id, controller, verbs, ...rest }: Taken,
    previous: PreviousIds | null,
    run: AttemptRun,
    isolated: boolean,
    told: AttemptInput['told'],
  ): Promise<string> => {
    const terms = { worker: options.worker, isolated, failUnknown: settings.whenUnknown === 'fail' };
    const begun = await untilWritten(log, () => beginAttempt(store, queue, id, terms));
    switch (begun.kind) {
      case 'missing':
      case 'suspect':
        return begun.kind;
      case 'terminal':
        await abandon(id, begun.checkpoint);
        return begun.kind;
      case 'unknown':
        await untilWritten(log, () => failUnknown(store, queue, id));
        return verbs.fail('outcome_unknown');
      case 'poison':
        await untilWritten(log, () => failPoison(store, queue, id, begun));
        log.error({ job_id: id, queue: queue.name, count: begun.crashes }, 'A job that kills its workers was failed');
        await abandon(id, begun.checkpoint);
        return verbs.fail('poison');
      case 'early':
        return verbs.delay(begun.inMs);
      case 'unsure':
        // Held here, because BullMQ would put it behind all that waits: an orphan must not wait for a whole backlog.
        if (!(await paused(begun.inMs, controller.signal))) return verbs.giveBack();
        return called({ id, controller, verbs, ...rest }, previous, run, isolated, told);
      case 'expired':
        await untilWritten(log, () => failPastDeadline(store, queue, id));
        return verbs.fail('deadline_exceeded');
      case 'damaged':
        return applyOutcome(id, verbs, begun, DAMAGED);
      case 'begun': {
        const startedAt = performance.now();
        if (begun.checkpointDamaged) {
          log.warn({ job_id: id, queue: queue.name }, 'A checkpoint could not be read: the job is called again');
        }
        if (previous !== null) begun.body = { ...begun.body, previous_response_id: previous.upstreams };
        const sink = begun.stream ? openEventSink(store, queue, id, begun, previous, log) : null;
        const checkpoint = (response: Reattachable) => {
          sink?.attach(response.upstreamId);
          return writeCheckpoint(store, queue, id, begun.epoch, response);
        };
        const onEvent = sink === null ? {} : { onEvent: sink.take };
        const outcome = await run({ id, queue: queue.name, settings, begun, controller, checkpoint, told, ...onEvent });
        const streamed = sink === null ? null : await sink.close();
        logAttempt(log, id, queue.name, begun.epoch, outcome, performance.now() - startedAt);
        if (sink !== null && 'reattach' in outcome && outcome.reattach !== undefined) {
          outcome.reattach = sink.resumeAt(outcome.reattach);
        }
        return applyOutcome(id, verbs, begun, outcome, streamed);
      }
    }
  };

  /** A fault of ours must not lose the job: it is tried again like any failure, and bounded like any. */
  const runOrFault = async (run: AttemptRun, input: AttemptInput): Promise<Outcome> => {
    try {
      return await run(input);
    } catch (error) {
      log.error({ err: error, job_id: input.id, queue: queue.name }, 'An attempt ended by a fault of ours');
      const message = error instanceof Error ? `${error.name} in the worker` : 'a fault in the worker';
      return {
        kind: 'retry',
        reason: 'internal',
        error: { code: 'internal_error', message },
        afterMs: 0,
        countsAsAttempt: true,
        possiblyBilled: true,
      };
    }
  };

  /** The one exhaustive switch: an Outcome becomes a queue verb. */
  const applyOutcome = async (
    id: string,
    verbs: Verbs,
    begun: { epoch: number; counted: number },
    outcome: Outcome,
    streamed: StreamedEnd | null = null,
  ): Promise<string> => {
    switch (outcome.kind) {
      case 'completed':
      case 'incomplete':
      case 'cancelled':
        return said(
          await untilWritten(log, () => finishByOutcome(store, queue, id, begun.epoch, outcome, streamed)),
          outcome.kind,
        );
      case 'failed': {
        const reply = await untilWritten(log, () => finishByOutcome(store, queue, id, begun.epoch, outcome, streamed));
        if (reply !== 'written') return reply;
        return verbs.fail(`${outcome.error.code}: ${outcome.error.message}`);
      }
      case 'retry': {
        const isJobs = outcome.countsAsAttempt && !options.admission.isDown(settings.upstream);
        const countsAsAttempt = isJobs || begun.epoch >= MOST_UNCOUNTED;
        const counted = begun.counted + (countsAsAttempt ? 1 : 0);
        const unknown = outcome.possiblyBilled && settings.whenUnknown === 'fail';
        if (unknown || counted >= settings.attempts) {
          // What could have been re-attached is given up now: it may be on the bill, and nobody wants it any more.
          if (outcome.reattach !== undefined) await options.abandon(outcome.reattach);
          const possiblyBilled = outcome.possiblyBilled || outcome.reattach !== undefined;
          return applyOutcome(id, verbs, begun, { ...outcome, kind: 'failed', possiblyBilled }, streamed);
        }
        if (HELD_BY_LIMIT.has(outcome.reason) && !countsAsAttempt) {
          // Its limit is closed now: it keeps its place, and starts when that opens.
          const reply = await untilWritten(log, () => settleAttempt(store, queue, id, begun.epoch, outcome, 0));
          return reply === 'written' ? verbs.giveBack() : reply;
        }
        // What uses up no attempt may go on for long, and must not become a stream of them.
        const ms = backoffMs(countsAsAttempt ? counted : begun.epoch, settings.backoff, outcome.afterMs);
        const settled = { ...outcome, countsAsAttempt };
        const reply = await untilWritten(log, () => settleAttempt(store, queue, id, begun.epoch, settled, ms));
        return reply === 'written' ? verbs.delay(ms) : reply;
      }
      case 'interrupted': {
        if (outcome.possiblyBilled && settings.whenUnknown === 'fail') {
          return applyOutcome(id, verbs, begun, { ...outcome, kind: 'failed', error: OUTCOME_UNKNOWN }, streamed);
        }
        const reply = await untilWritten(log, () => settleAttempt(store, queue, id, begun.epoch, outcome, 0));
        return reply === 'written' ? verbs.giveBack() : reply;
      }
    }
  };
  return attempt;
}

const DAMAGED: Outcome = {
  kind: 'failed',
  reason: 'internal',
  error: { code: 'damaged_record', message: 'The request as it was stored cannot be read any more.' },
  possiblyBilled: false,
};

/** What BullMQ keeps as the return value: never the answer itself. */
function said(reply: WriteReply, verb: string): string {
  return reply === 'written' ? verb : reply;
}

function tooLarge(limit: string, tokensPerMinute: number): Outcome {
  const message = `The request needs more tokens than the limit '${limit}' allows in a minute (${tokensPerMinute}): it could never start. Make it smaller, lower max_output_tokens, or raise the limit.`;
  return refused('request_too_large', message);
}

/** Nothing was sent, and nothing is to be. */
function refused(code: string, message: string): Outcome {
  return { kind: 'failed', reason: 'bad_request', error: { code, message }, possiblyBilled: false };
}
