/** call: the attempt at a job that has begun. Its deadline is armed, its events are stored, its calls are made. */
import {
  historyOf,
  type Outcome,
  type Reattachable,
  type ResponsesBody,
  toldOutput,
  type UpstreamApi,
} from '@millrace/core';
import { type Begun, type EndTerms, type Turn, writeCheckpoint } from '@millrace/queue';
import type { EventListener } from '@millrace/upstream';
import type { AttemptTerms, Taken } from './attempt-job.ts';
import { callInTurns, type Place, turnsBefore } from './call-in-turns.ts';
import { chooseApi, conversationKey } from './choose-api.ts';
import { openEventSink } from './event-sink.ts';
import { faultOf } from './fault-of.ts';
import { type GoesOnFrom, goingOn } from './goes-on-from.ts';
import { requestOf } from './request-of.ts';
import type { AttemptInput, AttemptRun } from './run-attempt.ts';
import type { Timeline } from './timeline.ts';
import { withTurns } from './turns/next-input.ts';
import type { ToolRun } from './turns/run-tool.ts';
import { itemsOfTurn } from './turns/whole-answer.ts';
import { untilDeadline } from './until-deadline.ts';

export interface CallJob {
  taken: Taken;
  begun: Begun;
  from: GoesOnFrom;
  /** Makes one call. */
  run: AttemptRun;
  /** Runs one tool. */
  tool: ToolRun;
  /** The first call's. */
  place: Place;
  timeline: Timeline;
}

export interface Answered extends Omit<EndTerms, 'timeline' | 'log'> {
  outcome: Outcome;
  /** How long the call took, of an answer that took one. */
  callMs?: number;
}

/** Its deadline counts for all that the attempt does. */
export async function callJob(terms: AttemptTerms, job: CallJob): Promise<Answered> {
  const over = untilDeadline(job.begun, job.taken.controller);
  try {
    return await answered(terms, job);
  } finally {
    over();
  }
}

/** The job is called, as often as it takes. */
async function answered(terms: AttemptTerms, job: CallJob): Promise<Answered> {
  const { store, queue, settings, log } = terms;
  const { taken, begun, from, run, tool } = job;
  const { id, controller } = taken;
  const runOrFault = async (input: AttemptInput): Promise<Outcome> => {
    try {
      return await run(input);
    } catch (error) {
      return faultOf(error, { log, queue, id, possiblyBilled: true });
    }
  };
  if (begun.checkpoint !== null) {
    log.info({ job_id: id, queue: queue.name }, 'Goes on with the response that an earlier attempt has begun');
  }
  if (begun.checkpointDamaged) {
    log.warn({ job_id: id, queue: queue.name }, 'A checkpoint could not be read: the job is called again');
  }
  begun.body = goingOn(begun.body as ResponsesBody, from);
  const previous = 'ids' in from ? from.ids : null;
  const earlier = await turnsBefore(terms, taken, begun, job.place, tool);
  if ('outcome' in earlier) return earlier;
  const { turns: before, place } = earlier;
  const said = toldOutput(before.flatMap(itemsOfTurn));
  const api = wayOf(terms, job, before);
  // A completion comes whole: who reads along is given the events that its answer could have had.
  const sink =
    begun.stream && api === 'responses' ? openEventSink({ store, queue, id, begun, previous, said, log }) : null;
  const checkpoint = (response: Reattachable) => {
    sink?.attach(response.upstreamId);
    return writeCheckpoint(store, queue, id, begun.epoch, response);
  };
  const take: EventListener = (type, data) => {
    job.timeline.event(type);
    sink?.take(type, data);
  };
  const onEvent = sink === null ? {} : { onEvent: take };
  const turns = [...before];
  let callMs = 0;
  const call = async ({ told, settle }: Place): Promise<Outcome> => {
    // What is to be carried on with is the first call's.
    const isFirst = turns.length === before.length;
    const input = { ...begun, checkpoint: isFirst ? begun.checkpoint : null };
    const asked = {
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
    job.timeline.called();
    const outcome = await runOrFault(asked);
    callMs = performance.now() - calledAt;
    settle(outcome);
    return outcome;
  };
  const called = await callInTurns(terms, { taken, begun, turns, sink, api, call, tool, place });
  const { outcome } = called;
  const streamed = sink === null ? null : await sink.close();
  if (sink !== null && 'reattach' in outcome && outcome.reattach !== undefined) {
    outcome.reattach = sink.resumeAt(outcome.reattach);
  }
  // What was carried on with, or took several calls, is no measure of one.
  const whole = begun.checkpoint === null && turns.length === 0;
  return { ...called, streamed, api, ...(whole ? { callMs } : {}) };
}

/** What is carried on with goes the way it went. */
function wayOf(
  { store, queue, settings, routing }: AttemptTerms,
  { taken: { id }, begun, from }: CallJob,
  turns: readonly Turn[],
): UpstreamApi {
  const { route } = routing.of(queue.name);
  if (route === undefined || begun.checkpoint !== null) return 'responses';
  const request = requestOf(store.config, settings, begun);
  if ('kind' in request) return 'responses';
  const root = from.kind === 'carried' ? { root: from.history.root } : {};
  const remembers = historyOf(store.config, queue.name) === undefined;
  const key = conversationKey({ ...begun, ...root, id });
  return chooseApi(route.responses, key, withTurns(request.body, turns, remembers));
}
