/**
 * A call whose answer is made in the background: the upstream goes on with it whatever becomes of the connection, so from
 * the moment its id is known nothing of it can be lost. Read as a stream where the upstream streams it.
 */
import type { Outcome } from '@millrace/core';
import { BackgroundResponse, isUsableId } from './background-response.ts';
import type { BackgroundListener, CallRequest } from './call.ts';
import type { CallTerms } from './call-terms.ts';
import { judge, type Reading, readEnding } from './conclude.ts';
import { decide, reattachLater } from './decide.ts';
import { DECISIONS } from './decision-table.ts';
import type { Opening } from './event-reader.ts';
import { Exchange } from './exchange.ts';
import type { Flight } from './flight.ts';
import { follow } from './follow.ts';
import type { Line } from './line.ts';
import { paceMs } from './pace.ts';
import { refusedFor } from './refused-background.ts';
import { create } from './send.ts';
import { stopInBackground } from './stop-background.ts';

/**
 * Makes the call; null where the upstream refuses it for being in the background: nothing was done, and it may be made
 * directly.
 */
export async function callInBackground(
  line: Line,
  request: CallRequest & { background: BackgroundListener },
  terms: CallTerms,
  flight: Flight,
  stream = true,
): Promise<Outcome | null> {
  let opened = false;
  const open = ({ id, background }: Opening): void => {
    opened = true;
    line.background.learn(background ? 'yes' : 'no');
    if (background && isUsableId(id)) {
      flight.response = new BackgroundResponse(id, null);
      flight.response.readBy(exchange);
      void tellStarted(line, request.background, flight.response);
    }
    flight.awaitIdNoMore();
  };
  const exchange = flight.begin(new Exchange(stream, line.idleMs, open, request.onEvent));
  flight.awaitId();
  await create(line.client, request.body, { stream, background: true }, exchange);
  const refused = refusedFor(exchange);
  if (refused !== null) flight.awaitIdNoMore();
  if (refused === 'stream' && stream) return callInBackground(line, request, terms, flight, false);
  if (refused === 'background') return null;
  const { status } = exchange;
  if (status !== null) request.onHeaders?.(status, (name) => exchange.headers.get(name));

  const reading = readEnding(exchange, await exchange.ended, terms);
  flight.awaitIdNoMore();
  const read = responseOf(reading);
  if (read !== undefined && !opened) {
    if (read.finished) line.background.learn(read.background ? 'yes' : 'no');
    else open(read);
  }
  if ('stopped' in reading) return stopInBackground(line, flight, reading.stopped);
  if (!('row' in reading)) return judge(reading, terms);
  const { response } = flight;
  if (response === null) return decide(reading, exchange.sent);
  if (reading.row === 'timeout') return reattachLater(reading, response.reattach, true);
  // Read whole, or refused: there is nothing to go on with.
  if (DECISIONS[reading.row].billed !== 'possibly') return decide(reading, exchange.sent);
  // It answered with what it has so far instead of a stream: it will do so again.
  const plain = reading.pending !== undefined;
  if (plain) await flight.pause(paceMs(0));
  return follow(line, flight, response, terms, {
    stream: !plain,
    include: request.body['include'],
    onEvent: request.onEvent,
  });
}

/** What an answer that is a Response object, finished or not, tells of itself. */
function responseOf(reading: Reading): (Opening & { finished: boolean }) | undefined {
  if ('stopped' in reading) return undefined;
  const pending = 'row' in reading ? reading.pending : undefined;
  const response = pending ?? reading.answer?.response;
  if (response === undefined) return undefined;
  return { id: response.id, background: response['background'] === true, finished: pending === undefined };
}

async function tellStarted(line: Line, listener: BackgroundListener, response: BackgroundResponse): Promise<void> {
  try {
    await listener.onStarted(response);
  } catch (error) {
    // A checkpoint that cannot be written must not cost the answer that is being made.
    line.onFault(error);
  }
}
