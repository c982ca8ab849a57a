/**
 * Follows a background response to its end: as a stream while that lasts, then by asking for it. The Outcome is the one
 * that the call itself would have had. What cannot be read is asked for again within a bound, and is then left to be
 * re-attached to: only a response that is gone, or says that it failed, is for calling again.
 */
import type { Outcome } from '@millrace/core';
import type { BackgroundResponse } from './background-response.ts';
import type { CallTerms } from './call-terms.ts';
import { judge, type Reading, readEnding } from './conclude.ts';
import { decide, type Finding, reattachLater } from './decide.ts';
import { DECISIONS, type Row } from './decision-table.ts';
import type { EventListener } from './event-reader.ts';
import { Exchange } from './exchange.ts';
import type { Flight } from './flight.ts';
import type { Line } from './line.ts';
import { LONGEST_WAIT_MS, paceMs } from './pace.ts';
import { retrieve } from './send.ts';
import { stopInBackground } from './stop-background.ts';

/** Failures in a row before the response is left for later: with their waits some three seconds, a hiccup's length. */
export const MAX_RETRIEVE_FAILURES = 4;

/** A response as it stands comes out of a store; a server that is silent for longer is not well. */
const LOOKUP_IDLE_MS = 30_000;

export interface FollowOptions {
  /** Begin with the stream, after the last event that was read. */
  stream: boolean;
  /** As the request had it. */
  include: unknown;
  onEvent: EventListener | undefined;
}

export async function follow(
  line: Line,
  flight: Flight,
  response: BackgroundResponse,
  terms: CallTerms,
  options: FollowOptions,
): Promise<Outcome> {
  let { stream } = options;
  let failures = 0;
  let polls = 0;
  for (;;) {
    const idleMs = stream ? line.idleMs : Math.min(line.idleMs, LOOKUP_IDLE_MS);
    const exchange = flight.begin(new Exchange(true, idleMs, null, options.onEvent));
    const how = { stream, startingAfter: response.sequence, include: options.include };
    response.readBy(exchange);
    await retrieve(line.client, response.upstreamId, how, exchange);
    const reading = readEnding(exchange, await exchange.ended, { ...terms, idleMs });

    if ('stopped' in reading) return stopInBackground(line, flight, reading.stopped);
    const other = idIn(reading, exchange);
    if (other !== undefined && other !== response.upstreamId) return decide(wrongResponse(response, other), true);
    if (!('row' in reading)) return judge(reading, terms);
    // It has ended badly, and says so itself.
    if (reading.answer !== undefined) return decide(reading, true);
    if (reading.row === 'timeout') return reattachLater(reading, response.reattach, true);

    const wasStream = stream;
    stream = false;
    if (reading.pending !== undefined) {
      failures = 0;
      await flight.pause(paceMs(polls++));
      continue;
    }
    // A stream that is refused, or that was there and broke off: what it comes to can be asked for at once.
    if (wasStream && (isSuccess(exchange) || !mayPass(reading))) continue;
    if (!wasStream && isGone(exchange)) return decide(responseGone(response, reading), true);
    failures++;
    if (!mayPass(reading) || failures === MAX_RETRIEVE_FAILURES || (reading.afterMs ?? 0) > LONGEST_WAIT_MS) {
      return reattachLater(reading, response.reattach, countsAsAttempt(reading));
    }
    await flight.pause(Math.max(paceMs(failures - 1), reading.afterMs ?? 0));
  }
}

/** Whether asking again may do; for all else somebody has to mend something first. */
function mayPass(finding: Finding): boolean {
  const row: Row = DECISIONS[finding.row];
  return (finding.toldTo ?? row.verdict) === 'retry';
}

/** An upstream that cannot be reached uses up nobody's attempts; one that answers with nonsense must not go on for ever. */
function countsAsAttempt(finding: Finding): boolean {
  return !mayPass(finding) || DECISIONS[finding.row].reason === 'malformed';
}

function isSuccess({ status }: Exchange): boolean {
  return status !== null && status < 300;
}

function isGone({ status }: Exchange): boolean {
  return status === 404 || status === 410;
}

/** The id of whatever response was answered with. */
function idIn(reading: Exclude<Reading, { stopped: unknown }>, exchange: Exchange): string | undefined {
  return ('row' in reading ? reading.upstreamId : reading.answer.response.id) ?? exchange.upstreamId;
}

function responseGone({ upstreamId }: BackgroundResponse, { message, status }: Finding): Finding {
  return { row: 'responseGone', message, upstreamId, ...(status === undefined ? {} : { status }) };
}

function wrongResponse({ upstreamId }: BackgroundResponse, other: string): Finding {
  const message = `The upstream was asked for response ${upstreamId} and answered with ${other.slice(0, 100)}.`;
  return { row: 'wrongResponse', message, upstreamId };
}
