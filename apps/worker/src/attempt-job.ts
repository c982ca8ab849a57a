/**
 * One attempt at a job that was taken: its intent is recorded, it is run, and its Outcome becomes a queue verb. The job
 * record decides; BullMQ is told afterwards, so a crash in between repeats nothing but the telling.
 */
import {
  historyOf,
  type Log,
  type Outcome,
  type QueueConfig,
  type Reattachable,
  type ResponsesBody,
  toldOutput,
  type UpstreamApi,
} from '@millrace/core';
import {
  type Begun,
  beginAttempt,
  dependOn,
  dropCheckpoint,
  type EndTerms,
  failPastDeadline,
  failPoison,
  failUnknown,
  readJob,
  type Store,
  type StoreQueue,
  shareCall,
  type Ticket,
  type Turn,
  writeCheckpoint,
} from '@millrace/queue';
import type { Admission } from './admission.ts';
import { applyOutcome } from './apply-outcome.ts';
import { callInTurns, type Place, refused, tooLarge, turnsBefore } from './call-in-turns.ts';
import { chooseApi, conversationKey } from './choose-api.ts';
import { openEventSink } from './event-sink.ts';
import { faultOf, isClosing } from './fault-of.ts';
import { type GoesOnFrom, goesOnFrom, goingOn, withCarried } from './goes-on-from.ts';
import type { Isolation } from './isolation.ts';
import { logAttempt } from './log-attempt.ts';
import { paused } from './paused.ts';
import { requestOf } from './request-of.ts';
import type { Routing } from './routing.ts';
import type { AttemptInput, AttemptRun } from './run-attempt.ts';
import type { Shadows } from './shadow/open-shadows.ts';
import { sharedAnswer } from './shared-answer.ts';
import { withTurns } from './turns/next-input.ts';
import { runTool, type ToolRun } from './turns/run-tool.ts';
import { itemsOfTurn } from './turns/whole-answer.ts';
import { untilDeadline } from './until-deadline.ts';
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
    if (from.kind === 'unfinished') return waitFor(taken, from.id);
    if (from.kind === 'lost') return begin(taken, isolated, async () => uncalled(refused(from.code, from.message)));
    if (ticket.cache !== undefined) {
      const share = await shareCall(store, queue, { id, cache: ticket.cache, priority });
      if (share.kind === 'follow') return waitFor(taken, share.leader);
      const { job, answer = null } = (share.kind === 'answered' && (await readJob(store, share.leader))) || {};
      if (share.kind === 'answered' && job !== undefined && answer !== null) {
        const { leader } = share;
        return begin(taken, isolated, async ({ body }) => {
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
        return begin(taken, isolated, async () => uncalled(tooLarge(settings.limit, tokensPerMinute)));
      }
      case 'admitted': {
        let settled = false;
        const once: Place = {
          ...place,
          settle: (outcome) => {
            if (!settled) place.settle(outcome);
            settled = true;
          },
        };
        try {
          return await begin(taken, isolated, (begun) => inTime(taken, begun, from, runs, once));
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
    answer: (begun: Begun) => Promise<Answered>,
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
        return begin(taken, isolated, answer);
      case 'expired':
        await untilWritten(log, () => failPastDeadline(store, queue, id));
        return verbs.fail('deadline_exceeded');
      case 'damaged':
        return applyOutcome(options, { id, verbs, begun }, DAMAGED);
      case 'begun': {
        const startedAt = performance.now();
        const { outcome, callMs = null, ...end } = await answerOrFault(id, () => answer(begun));
        logAttempt(log, id, queue.name, begun.epoch, outcome, performance.now() - startedAt);
        const onFinished = (outcome: Outcome): void => {
          // What brings its process down is not sent once more from here.
          if (callMs === null || isolated || end.api == null) return;
          options.shadows.offer({ id, queue, settings, begun, ticket: taken.ticket, api: end.api, callMs, outcome });
        };
        return applyOutcome(options, { id, verbs, begun, ...end, onFinished }, outcome);
      }
    }
  };

  /** Calls tell their faults themselves: what is thrown here was before any, or between two. */
  const answerOrFault = async (id: string, answer: () => Promise<Answered>): Promise<Answered> => {
    try {
      return await answer();
    } catch (error) {
      if (isClosing(error)) throw error;
      return uncalled(faultOf(error, { log, queue, id, possiblyBilled: false }));
    }
  };

  /** Its deadline counts for all that the attempt does. */
  const inTime: typeof answered = async (taken, begun, ...more) => {
    const over = untilDeadline(begun, taken.controller);
    try {
      return await answered(taken, begun, ...more);
    } finally {
      over();
    }
  };

  /** The job is called, as often as it takes. */
  const answered = async (
    taken: Taken,
    begun: Begun,
    from: GoesOnFrom,
    { run, tool }: { run: AttemptRun; tool: ToolRun },
    first: Place,
  ): Promise<Answered> => {
    const { id, controller } = taken;
    if (begun.checkpointDamaged) {
      log.warn({ job_id: id, queue: queue.name }, 'A checkpoint could not be read: the job is called again');
    }
    begun.body = goingOn(begun.body as ResponsesBody, from);
    const previous = 'ids' in from ? from.ids : null;
    const earlier = await turnsBefore(options, taken, begun, first, tool);
    if ('outcome' in earlier) return earlier;
    const { turns: before, place } = earlier;
    const said = toldOutput(before.flatMap(itemsOfTurn));
    const api = wayOf(id, begun, from, before);
    // A completion comes whole: who reads along is given the events that its answer could have had.
    const sink =
      begun.stream && api === 'responses' ? openEventSink({ store, queue, id, begun, previous, said, log }) : null;
    const checkpoint = (response: Reattachable) => {
      sink?.attach(response.upstreamId);
      return writeCheckpoint(store, queue, id, begun.epoch, response);
    };
    const onEvent = sink === null ? {} : { onEvent: sink.take };
    const turns = [...before];
    let callMs = 0;
    const call = async ({ told, settle }: Place): Promise<Outcome> => {
      // What is to be carried on with is the first call's.
      const isFirst = turns.length === before.length;
      const input = { ...begun, checkpoint: isFirst ? begun.checkpoint : null };
      const terms = {
        id,
        queue: queue.name,
        settings,
        begun: input,
        api,
        turns,
        controller,
        checkpoint,
        told,
        ...onEvent,
      };
      const calledAt = performance.now();
      const outcome = await runOrFault(run, terms);
      callMs = performance.now() - calledAt;
      settle(outcome);
      return outcome;
    };
    const called = await callInTurns(options, { taken, begun, turns, sink, api, call, tool, place });
    const { outcome } = called;
    const streamed = sink === null ? null : await sink.close();
    if (sink !== null && 'reattach' in outcome && outcome.reattach !== undefined) {
      outcome.reattach = sink.resumeAt(outcome.reattach);
    }
    // What was carried on with, or took several calls, is no measure of one.
    const whole = begun.checkpoint === null && turns.length === 0;
    return { ...called, streamed, api, ...(whole ? { callMs } : {}) };
  };

  /** What is carried on with goes the way it went. */
  const wayOf = (id: string, begun: Begun, from: GoesOnFrom, turns: readonly Turn[]): UpstreamApi => {
    const { route } = options.routing.of(queue.name);
    if (route === undefined || begun.checkpoint !== null) return 'responses';
    const request = requestOf(store.config, settings, begun);
    if ('kind' in request) return 'responses';
    const root = from.kind === 'carried' ? { root: from.history.root } : {};
    const remembers = historyOf(store.config, queue.name) === undefined;
    const key = conversationKey({ ...begun, ...root, id });
    return chooseApi(route.responses, key, withTurns(request.body, turns, remembers));
  };

  const runOrFault = async (run: AttemptRun, input: AttemptInput): Promise<Outcome> => {
    try {
      return await run(input);
    } catch (error) {
      return faultOf(error, { log, queue, id: input.id, possiblyBilled: true });
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

interface Answered extends EndTerms {
  outcome: Outcome;
  /** How long the call took, of an answer that took one. */
  callMs?: number;
}

function uncalled(outcome: Outcome): Answered {
  return { outcome };
}
