/**
 * call: most jobs take one. Where the model calls tools of ours, they are run and it is called again, each call under a
 * reservation of its own, until it answers. Every turn is noted before the next: a crash goes on after it.
 */
import { type Outcome, type ResponsesBody, toldOutput, totalUsage, type UpstreamApi } from '@millrace/core';
import { type Begun, hostedCalls, readTurns, type Spent, type Turn, writeCallAgain, writeTurn } from '@millrace/queue';
import { abortKind } from '@millrace/upstream';
import type { Admitted } from './admission.ts';
import type { AttemptTerms, Taken } from './attempt-job.ts';
import type { EventSink } from './event-sink.ts';
import { faultOf, isClosing } from './fault-of.ts';
import { missedAnswer, missedTurn } from './turns/missed-answer.ts';
import type { ToolRun } from './turns/run-tool.ts';
import { isDone, runTools, type TurnTerms, toolCalls, turnOf } from './turns/take-turn.ts';
import { itemsOfTurn, wholeOutcome } from './turns/whole-answer.ts';
import { untilWritten } from './until-written.ts';

export interface Called {
  outcome: Outcome;
  spent: Spent;
  /** The answer that the next attempt is to go on from, to be noted with the end of this one. */
  turn?: Turn;
}

export type Place = Extract<Admitted, { kind: 'admitted' }>;

export interface Calling {
  taken: Taken;
  begun: Begun;
  /** Those that were taken before, by an attempt that is over; those that are taken now are added. */
  turns: Turn[];
  sink: EventSink | null;
  /** By which its calls are made. */
  api: UpstreamApi;
  /** One call after these turns, under the place that it is given. */
  call(place: Place): Promise<Outcome>;
  /** By which the tools are run that it calls. */
  tool: ToolRun;
  /** The first call's. */
  place: Place;
}

/**
 * The turns of a job that is begun again, the tools of the last one run that a crash cut short; and the place of the
 * call that follows. Tools may take longer than a place is lent for: none is held while they run.
 * @returns what the attempt comes to where none follows
 */
export async function turnsBefore(
  terms: AttemptTerms,
  taken: Taken,
  begun: Begun,
  place: Place,
  tool: ToolRun,
): Promise<{ turns: Turn[]; place: Place } | Called> {
  if (!begun.hasTurns) return { turns: [], place };
  const turns = await readTurns(terms.store, terms.queue, taken.id);
  const last = turns.at(-1);
  if (last === undefined || last.misses !== undefined || isDone(last)) return { turns, place };
  place.settle(null);
  // All that was spent has been counted, by the attempts before.
  const spent: Spent = {
    job: totalUsage(turns.map(({ usage }) => usage)),
    ...{ attempt: null, uncounted: null, uncountedCalls: {} },
  };
  try {
    if (!(await runTools(turnTerms(terms, taken, begun, tool), turns, last))) {
      return { outcome: stopped(taken.controller.signal), spent };
    }
    const next = await reserveNext(terms, taken, turns);
    return 'outcome' in next ? { ...next, spent } : { turns, place: next };
  } catch (error) {
    if (isClosing(error)) throw error;
    const { log, queue } = terms;
    return { outcome: faultOf(error, { log, queue, id: taken.id, possiblyBilled: false }), spent };
  }
}

function turnTerms(
  { store, queue, log }: AttemptTerms,
  { id, controller }: Taken,
  begun: Begun,
  tool: ToolRun,
): TurnTerms {
  const { signal } = controller;
  return { store, queue, log, id, epoch: begun.epoch, signal, body: begun.body as ResponsesBody, tool };
}

/** @throws what a closed store throws; any other fault is an Outcome */
export async function callInTurns(terms: AttemptTerms, calling: Calling): Promise<Called> {
  const { taken, begun, sink, turns, api } = calling;
  const { store, queue, settings, log } = terms;
  const { id, controller } = taken;
  const { signal } = controller;
  const own = turnTerms(terms, taken, begun, calling.tool);
  const before = turns.length;
  let place = calling.place;
  /** @param last what the last call came to: all before it are turns, and counted */
  const ended = (outcome: Outcome, last: Outcome = outcome): Called => {
    const uncounted = last.usage ?? null;
    const uncountedCalls = hostedCalls('answer' in last ? last.answer?.response.output : undefined);
    const usages = (from: number) => totalUsage([...turns.slice(from).map(({ usage }) => usage), uncounted]);
    return { outcome, spent: { job: usages(0), attempt: usages(before), uncounted, uncountedCalls } };
  };
  const note = async (turn: Turn): Promise<boolean> =>
    (await untilWritten(log, () => writeTurn(store, queue, id, begun.epoch, turn))) === 'written';

  const again = async (): Promise<boolean> =>
    (await untilWritten(log, () => writeCallAgain(store, queue, id, begun.epoch))) === 'written';
  /** A call was made of which nothing is on the record yet. */
  let unnoted = false;
  try {
    for (;;) {
      if ((begun.hasTurns || turns.length > 0) && !(await again())) {
        place.settle(null);
        return ended(LOST);
      }
      const outcome = await calling.call(place);
      unnoted = true;
      const missed = missedAnswer(outcome, begun, settings);
      if (missed !== null) {
        return { ...ended(missed.outcome), turn: missedTurn(turns, missed, api) };
      }
      if (outcome.kind !== 'completed' || toolCalls(outcome, own, turns) === null) {
        const whole =
          outcome.kind === 'completed' || outcome.kind === 'incomplete' ? wholeOutcome(outcome, turns) : outcome;
        return ended(whole, outcome);
      }
      const turn = turnOf(turns, outcome.answer, api);
      // Before it is noted: the turn is what a crash goes on from, and no longer the response that it was.
      await sink?.rest();
      if (!(await note(turn))) return ended(LOST);
      turns.push(turn);
      unnoted = false;
      if (!(await runTools(own, turns, turn))) return ended(stopped(signal));
      sink?.goOn(toldOutput(turns.flatMap(itemsOfTurn)));
      const next = await reserveNext(terms, taken, turns);
      if ('outcome' in next) return ended(next.outcome);
      place = next;
    }
  } catch (error) {
    if (isClosing(error)) throw error;
    return ended(faultOf(error, { log, queue, id, possiblyBilled: unnoted }));
  }
}

async function reserveNext(
  terms: AttemptTerms,
  taken: Taken,
  turns: readonly Turn[],
): Promise<Place | { outcome: Outcome }> {
  const { id, ticket, priority, controller } = taken;
  const characters = (ticket.characters ?? 0) + turns.reduce((sum, turn) => sum + JSON.stringify(turn).length, 0);
  const applicant = { id, ticket: { ...ticket, characters }, priority, signal: controller.signal };
  const place = await terms.admission.admit(terms.settings, applicant);
  switch (place.kind) {
    case 'admitted':
      return place;
    case 'aborted':
      return { outcome: stopped(controller.signal) };
    case 'held': {
      const error = { code: 'rate_limited', message: 'The limit is closed, or the upstream is down, for now.' };
      const terms = { afterMs: place.inMs, countsAsAttempt: false, possiblyBilled: false };
      return { outcome: { kind: 'retry', reason: 'conflict', error, ...terms } };
    }
    case 'never':
      return { outcome: tooLarge(terms.settings.limit, place.tokensPerMinute) };
  }
}

/** Between two calls nothing is on the bill that is not noted. */
function stopped(signal: AbortSignal): Outcome {
  const by = abortKind(signal.reason);
  switch (by) {
    case 'cancelled':
      return { kind: 'cancelled', possiblyBilled: false };
    case 'deadline':
      return { ...DEADLINE };
    case 'shutdown':
    case 'lost':
      return { kind: 'interrupted', reason: by, possiblyBilled: false };
  }
}

const LOST: Outcome = { kind: 'interrupted', reason: 'lost', possiblyBilled: false };
const DEADLINE: Outcome = {
  kind: 'failed',
  reason: 'deadline_exceeded',
  error: { code: 'deadline_exceeded', message: 'The deadline passed before the answer came.' },
  possiblyBilled: false,
};

export function tooLarge(limit: string, tokensPerMinute: number): Outcome {
  const message = `The request needs more tokens than the limit '${limit}' allows in a minute (${tokensPerMinute}): it could never start. Make it smaller, lower max_output_tokens, or raise the limit.`;
  return refused('request_too_large', message);
}

/** Nothing was sent, and nothing is to be. */
export function refused(code: string, message: string): Outcome {
  return { kind: 'failed', reason: 'bad_request', error: { code, message }, possiblyBilled: false };
}
