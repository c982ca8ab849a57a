/**
 * One attempt at a job that was taken: its intent is recorded, it is run, and its Outcome becomes a queue verb. The job
 * record decides; BullMQ is told afterwards, so a crash in between repeats nothing but the telling.
 */
import type { Log, Outcome, QueueConfig, Reattachable, ResponsesBody } from '@millrace/core';
import {
  type Begun,
  beginAttempt,
  dependOn,
  dropCheckpoint,
  failPastDeadline,
  failPoison,
  failUnknown,
  readJob,
  type Store,
  type StoreQueue,
  shareCall,
  type Ticket,
} from '@millrace/queue';
import type { Admission } from './admission.ts';
import { applyOutcome } from './apply-outcome.ts';
import { type AttemptLog, openAttemptLog } from './attempt-log.ts';
import { type Place, refused, tooLarge } from './call-in-turns.ts';
import { type Answered, callJob } from './call-job.ts';
import { faultOf, isClosing } from './fault-of.ts';
import { goesOnFrom, withCarried } from './goes-on-from.ts';
import type { Isolation } from './isolation.ts';
import { logAttempt } from './log-attempt.ts';
import { paused } from './paused.ts';
import type { Routing } from './routing.ts';
import type { AttemptRun } from './run-attempt.ts';
import type { Shadows } from './shadow/open-shadows.ts';
import { sharedAnswer } from './shared-answer.ts';
import { openTimeline, type Timeline } from './timeline.ts';
import { runTool } from './turns/run-tool.ts';
import { untilWritten } from './until-written.ts';

/** What can be done with a taken job's BullMQ entry. Each ends the take: BullMQ is told by what is thrown. */
export interface Verbs {
  /** Back to the head of its line. */
  giveBack(): Promise<never>;
  /** @param unless asked once it waits: true puts it back in line at once */
  delay(ms: number, unless?: () => Promise<boolean>): Promise<never>;
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
  routing: Routing;
  shadows: Shadows;
  /** Where the tools of an isolated attempt run. */
  isolation: Pick<Isolation, 'tool'>;
  log: Log;
}

/**
 * @param isolated whether `run` runs it in a process of its own, as a suspect must be
 * @returns a word for BullMQ, never the answer; 'suspect': nothing has begun, and nothing does unless it is isolated
 */
export type AttemptJob = (taken: Taken, run: AttemptRun, isolated: boolean) => Promise<string>;

/** Who waits for another job is released by its end; should that get lost, it looks by itself. */
const LOOK_MS = 30_000;

/** Binds what all attempts at a queue's jobs share. */
export function attemptJob(options: AttemptTerms): AttemptJob {
  const { store, queue, settings, log } = options;

  /** Nobody waits for the response of a job that has ended, or ends now. */
  const abandon = async (id: string, checkpoint: Reattachable | null): Promise<void> => {
    if (checkpoint === null) return;
    await options.abandon(checkpoint);
    await dropCheckpoint(store, queue, id);
  };

  /** Until another job has ended. */
  const waitFor = ({ id, verbs }: Taken, other: string): Promise<never> =>
    verbs.delay(LOOK_MS, async () => (await dependOn(store, other, id)) !== 'waits');

  /** Whom the job waits for, or goes on from; then reserve. Nothing has begun, and no attempt is used up, before that. */
  const attempt = async (asTaken: Taken, run: AttemptRun, isolated: boolean): Promise<string> => {
    const from = await goesOnFrom(store, queue, asTaken.id, asTaken.ticket);
    const taken = { ...asTaken, ticket: withCarried(asTaken.ticket, from) };
    const { id, ticket, priority, controller, verbs } = taken;
    const timeline = openTimeline();
    if (from.kind === 'unfinished') return waitFor(taken, from.id);
    if (from.kind === 'lost')
      return begin(taken, isolated, timeline, async () => uncalled(refused(from.code, from.message)));
    if (ticket.cache !== undefined) {
      const share = await shareCall(store, queue, { id, cache: ticket.cache, priority });
      if (share.kind === 'follow') return waitFor(taken, share.leader);
      const { job, answer = null } = (share.kind === 'answered' && (await readJob(store, share.leader))) || {};
      if (share.kind === 'answered' && job !== undefined && answer !== null) {
        const { leader } = share;
        return begin(taken, isolated, timeline, async ({ body }) => {
          return { ...sharedAnswer(job, answer, body as ResponsesBody), answeredBy: leader };
        });
      }
    }
    const runs = { run, tool: isolated ? options.isolation.tool : runTool };
    const place = await options.admission.admit(settings, { id, ticket, priority, signal: controller.signal });
    switch (place.kind) {
      case 'aborted':
        return verbs.giveBack();
      case 'held':
        return verbs.hold(place.inMs);
      case 'never': {
        const { tokensPerMinute } = place;
        return begin(taken, isolated, timeline, async () => uncalled(tooLarge(settings.limit, tokensPerMinute)));
      }
      case 'admitted': {
        timeline.admitted(place.waitedFor);
        let settled = false;
        const once: Place = {
          ...place,
          settle: (outcome) => {
            if (!settled) place.settle(outcome);
            settled = true;
          },
        };
        try {
          return await begin(taken, isolated, timeline, (begun, { log }) =>
            callJob({ ...options, log }, { taken, begun, from, ...runs, place: once, timeline }),
          );
        } finally {
          // Nothing was called: it had ended, is not due, or is a suspect.
          once.settle(null);
        }
      }
    }
  };

  /** Records the attempt's intent, and ends it with what `answer` comes to. */
  const begin = async (
    taken: Taken,
    isolated: boolean,
    timeline: Timeline,
    answer: (begun: Begun, said: AttemptLog) => Promise<Answered>,
  ): Promise<string> => {
    const { id, controller, verbs } = taken;
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
        return begin(taken, isolated, timeline, answer);
      case 'expired':
        await untilWritten(log, () => failPastDeadline(store, queue, id));
        return verbs.fail('deadline_exceeded');
      case 'damaged':
        return applyOutcome(options, { id, verbs, begun, timeline, said: openAttemptLog(log, Date.now()) }, DAMAGED);
      case 'begun': {
        const startedAt = performance.now();
        timeline.begun(begun.startedAt);
        const said = openAttemptLog(log, begun.startedAt);
        const { outcome, callMs = null, ...end } = await answerOrFault(id, said.log, () => answer(begun, said));
        logAttempt(log, id, queue.name, begun.epoch, outcome, performance.now() - startedAt);
        const onFinished = (outcome: Outcome): void => {
          // What brings its process down is not sent once more from here.
          if (callMs === null || isolated || end.api == null) return;
          options.shadows.offer({ id, queue, settings, begun, ticket: taken.ticket, api: end.api, callMs, outcome });
        };
        return applyOutcome(options, { id, verbs, begun, timeline, said, ...end, onFinished }, outcome);
      }
    }
  };

  /** Calls tell their faults themselves: what is thrown here was before any, or between two. */
  const answerOrFault = async (id: string, log: Log, answer: () => Promise<Answered>): Promise<Answered> => {
    try {
      return await answer();
    } catch (error) {
      if (isClosing(error)) throw error;
      return uncalled(faultOf(error, { log, queue, id, possiblyBilled: false }));
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

function uncalled(outcome: Outcome): Answered {
  return { outcome };
}
