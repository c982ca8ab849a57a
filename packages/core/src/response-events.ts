/**
 * The stream of a response that was not streamed: the events OpenAI's server would have sent, in its order, from the
 * finished Response object alone. The SDK's accumulator rebuilds that very object from them. Pure, so a second reader
 * and one that comes back see the same events under the same numbers.
 */
import type { ResponseObject } from './outcome.ts';
import { eventsOfItem, type UnnumberedEvent } from './output-item-events.ts';

/** A semantic stream event as it goes over the wire; numbers start at 0 and have no gaps. */
export interface ResponseEvent extends UnnumberedEvent {
  sequence_number: number;
}

/**
 * The events of a response that has ended. A cancelled one ends with an `error` event, code `cancelled`: OpenAI has no
 * event of its own for that.
 *
 * @throws RangeError for a response that still waits or runs: its stream is not known yet.
 */
export function eventsOfResponse(response: ResponseObject): ResponseEvent[] {
  const events: UnnumberedEvent[] = [...opening(response)];
  for (const [index, item] of (response.output ?? []).entries()) events.push(...eventsOfItem(item, index));
  events.push(ending(response));
  return events.map(({ type, ...fields }, sequence_number) => ({ type, sequence_number, ...fields }));
}

function opening(response: ResponseObject): UnnumberedEvent[] {
  const running = { type: 'response.in_progress', response: unfinished(response, 'in_progress') };
  if (response.background !== true) return [{ ...running, type: 'response.created' }, running];
  const queued = unfinished(response, 'queued');
  return [{ type: 'response.created', response: queued }, { type: 'response.queued', response: queued }, running];
}

/** The response before anything of its answer was there. */
function unfinished(response: ResponseObject, status: string): ResponseObject {
  // Some servers send the text beside the output; a reader would add the deltas to it.
  const { output_text: _, ...rest } = response;
  return { ...rest, status, completed_at: null, error: null, incomplete_details: null, output: [], usage: null };
}

function ending(response: ResponseObject): UnnumberedEvent {
  switch (response.status) {
    case 'queued':
    case 'in_progress':
      throw new RangeError(`The response ${response.id} is ${response.status}: only one that has ended has a stream.`);
    case 'cancelled':
      return { type: 'error', code: 'cancelled', message: 'The response was cancelled.', param: null };
    case 'failed':
    case 'incomplete':
      return { type: `response.${response.status}`, response };
    default:
      return { type: 'response.completed', response };
  }
}
