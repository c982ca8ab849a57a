/** What a stop means for a response that is made in the background: it is given up and cancelled, or left to a successor. */
import type { Outcome } from '@millrace/core';
import type { AbortKind } from './abort-reason.ts';
import { cancelResponse } from './cancel-response.ts';
import { stopped } from './decide.ts';
import type { Flight } from './flight.ts';
import type { Line } from './line.ts';

/** How long the Outcome of a cancelled job may wait for its response to be cancelled. */
const CANCEL_BOUND_MS = 3000;

export async function stopInBackground(line: Line, flight: Flight, by: AbortKind): Promise<Outcome> {
  const { response, exchange } = flight;
  if (response === null) return stopped(by, exchange?.sent ?? false, exchange?.upstreamId);
  const { upstreamId } = response;
  if (by === 'shutdown' || by === 'lost') {
    // Never cancelled: whoever takes the job next may be reading it already.
    return { kind: 'interrupted', reason: by, possiblyBilled: false, upstreamId, reattach: response.reattach };
  }
  await cancelResponse(line, upstreamId, CANCEL_BOUND_MS);
  return stopped(by, true, upstreamId);
}
