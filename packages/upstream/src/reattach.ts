/** Carries on with a response that an earlier call, perhaps of another process, began in the background. */
import type { Outcome, Reattachable } from '@millrace/core';
import { BackgroundResponse, isUsableId } from './background-response.ts';
import type { CallRequest } from './call.ts';
import { callTerms } from './call-terms.ts';
import { decide } from './decide.ts';
import { Flight } from './flight.ts';
import { follow } from './follow.ts';
import { guardCall } from './guard-call.ts';
import type { Line } from './line.ts';

/** The request as it was called, and what is known of the response that it began. */
export type ReattachRequest = Pick<CallRequest, 'body' | 'type' | 'timeoutMs' | 'signal' | 'zod' | 'onEvent'> &
  Reattachable;

export async function reattach(line: Line, request: ReattachRequest): Promise<Outcome> {
  const { upstreamId, startingAfter } = request;
  const flight = new Flight(request.timeoutMs, request.signal);
  return guardCall(line, flight, async () => {
    if (!isUsableId(upstreamId)) {
      return decide({ row: 'responseGone', message: 'The id that was kept of the response is none.' }, true);
    }
    flight.response = new BackgroundResponse(upstreamId, startingAfter);
    const terms = callTerms(request, line.idleMs);
    // The schema was good when the call was made; what is given up here may have been paid for.
    if ('kind' in terms) return { ...terms, upstreamId, possiblyBilled: true };
    return follow(line, flight, flight.response, terms, {
      stream: true,
      include: request.body['include'],
      onEvent: request.onEvent,
    });
  });
}
