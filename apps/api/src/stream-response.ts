/**
 * A job as the stream of events that OpenAI would send: those that were stored while its answer came, or, where it was
 * not streamed, those that its answer could have had. The stream ends with the job, in one terminal event.
 */
import { type Config, eventsOfResponse, InvalidRequestError, type ResponseObject } from '@millrace/core';
import { type Followed, followJob, type JobWithAnswer, type Store, type StoreQueue } from '@millrace/queue';
import type { Response } from 'express';
import { responseView } from './response-view.ts';
import { type EventStream, eventFrame, KEEP_ALIVE, openEventStream } from './sse.ts';

export interface StreamTerms {
  store: Store;
  queue: StoreQueue;
  id: string;
  /** Sequence number of the last event that the client has; -1: none. */
  after: number;
  /** The job had ended when it was asked for: what is refused can still be refused by status. */
  ended: boolean;
  /** Sent with the stream. */
  headers: Record<string, string>;
  /** Default: as they are. */
  as?: EventRendering;
}

/** How events go over the wire. */
export interface EventRendering {
  /** Some that are stored, framed as the Responses API sends them. */
  frames(frames: string): string;
  event(event: { type: string }): string;
}

const AS_THEY_ARE: EventRendering = { frames: (frames) => frames, event: eventFrame };

/**
 * @returns true when the client was sent the end of the job
 * @throws InvalidRequestError when the client claims to have more events than there are; nothing was sent then
 */
export async function streamResponse(terms: StreamTerms, response: Response): Promise<boolean> {
  const { store, queue, id, after, ended, headers, as = AS_THEY_ARE } = terms;
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const followed = followJob(store, queue, id, after, gone.signal);
  let stream: EventStream | null = ended ? null : openEventStream(response, headers);
  let delivered = false;
  for await (const next of followed) {
    const said = say(store.config, as, next, after);
    if (said === null) break;
    stream ??= openEventStream(response, headers);
    if (!(await stream.write(said.frames))) return false;
    delivered = said.over;
  }
  if (stream === null) throw beyond(after);
  stream.end();
  return delivered;
}

function beyond(after: number): InvalidRequestError {
  return new InvalidRequestError(
    `'starting_after' is ${after}, and the response has no event beyond it: it has ended. Leave it out to read from the beginning.`,
    'starting_after',
    'invalid_value',
  );
}

/** What goes over the wire; null: nothing, as the client has it all. */
function say(
  config: Config,
  as: EventRendering,
  followed: Followed,
  after: number,
): { frames: string; over: boolean } | null {
  switch (followed.kind) {
    case 'events':
      return { frames: as.frames(followed.frames), over: false };
    case 'quiet':
      return { frames: KEEP_ALIVE, over: false };
    case 'end':
      return { frames: as.event(lastEvent(config, followed.found, followed.sequence)), over: true };
    case 'unstreamed': {
      const events = eventsOfResponse(viewOf(config, followed.found)).slice(after + 1);
      return events.length === 0 ? null : { frames: events.map(as.event).join(''), over: true };
    }
    case 'replaced':
      return failure(
        as,
        followed.sequence,
        'attempt_replaced',
        'The attempt these events are of has failed, and another one answers. Read the stream again from the beginning.',
      );
    case 'trimmed':
      return failure(
        as,
        followed.sequence,
        'events_not_kept',
        'The events that come next are not kept any more. Retrieve the response without a stream.',
      );
    case 'gone':
      return failure(as, followed.sequence, 'response_not_found', 'The response was deleted, or its time is over.');
  }
}

function failure(
  as: EventRendering,
  sequence: number,
  code: string,
  message: string,
): { frames: string; over: boolean } {
  return { frames: as.event(errorEvent(sequence, code, message)), over: false };
}

function errorEvent(sequence: number, code: string, message: string): { type: string } {
  return { type: 'error', ...{ code, message, param: null, sequence_number: sequence } };
}

/** The event that ends a stream whose others were sent. OpenAI has none for a cancelled response. */
function lastEvent(config: Config, found: JobWithAnswer, sequence: number): { type: string } {
  const { status } = found.job;
  if (status === 'cancelled') return errorEvent(sequence, 'cancelled', 'The response was cancelled.');
  return { type: `response.${status}`, ...{ sequence_number: sequence, response: viewOf(config, found) } };
}

function viewOf(config: Config, { job, answer }: JobWithAnswer): ResponseObject {
  return responseView(config, job, answer) as ResponseObject;
}
