/**
 * A call's stream, in OpenAI's order. It follows from the call alone, so that a replay shows the same events under the
 * same sequence numbers without any having been stored.
 */

import type { AnswerItem } from '../answer/answer.ts';
import { cutIntoDeltas } from '../answer/deltas.ts';
import type { JsonObject } from '../json.ts';
import { type Call, itemId } from './call.ts';
import { hostedEvents } from './hosted-events.ts';
import { reasoningEvents } from './reasoning-events.ts';
import { contentPart, itemStatus, outputItem, responseObject } from './response.ts';

export interface StreamEvent extends JsonObject {
  type: string;
  /** The text this event adds; on delta events only. */
  delta?: string;
}

function messageEvents(call: Call, item: AnswerItem, index: number): StreamEvent[] {
  const place = { item_id: itemId(call, index), output_index: index, content_index: 0 };
  const refused = item.kind === 'refusal';
  const kind = refused ? 'response.refusal' : 'response.output_text';
  const annotations = (item.kind === 'text' && item.annotations) || [];
  const logprobs = refused ? {} : { logprobs: [] };
  return [
    { type: 'response.content_part.added', ...place, part: contentPart(item, '') },
    ...cutIntoDeltas(item.text, call.streamEvents).map((delta) => ({
      type: `${kind}.delta`,
      ...place,
      delta,
      ...logprobs,
    })),
    ...annotations.map((annotation, number) => ({
      type: `${kind}.annotation.added`,
      ...place,
      annotation_index: number,
      annotation,
    })),
    { type: `${kind}.done`, ...place, [refused ? 'refusal' : 'text']: item.text, ...logprobs },
    { type: 'response.content_part.done', ...place, part: contentPart(item, item.text) },
  ];
}

function functionEvents(call: Call, item: AnswerItem, index: number): StreamEvent[] {
  const place = { item_id: itemId(call, index), output_index: index };
  const kind = 'response.function_call_arguments';
  return [
    ...cutIntoDeltas(item.text, call.streamEvents).map((delta) => ({ type: `${kind}.delta`, ...place, delta })),
    { type: `${kind}.done`, ...place, arguments: item.text },
  ];
}

function innerEvents(call: Call, item: AnswerItem, index: number): StreamEvent[] {
  switch (item.kind) {
    case 'hosted_call':
      return hostedEvents(call, item, index);
    case 'reasoning':
      return reasoningEvents(call, item, index);
    case 'function_call':
      return functionEvents(call, item, index);
    default:
      return messageEvents(call, item, index);
  }
}

function itemEvents(call: Call, item: AnswerItem, index: number): StreamEvent[] {
  return [
    { type: 'response.output_item.added', output_index: index, item: outputItem(call, index, item, 'in_progress') },
    ...innerEvents(call, item, index),
    {
      type: 'response.output_item.done',
      output_index: index,
      item: outputItem(call, index, item, itemStatus(call, index)),
    },
  ];
}

/** How many events precede the first output: created, queued in the background, in progress. */
export function openingEvents(call: Call): number {
  return call.request.background ? 3 : 2;
}

/** All events but the last; an event's index is its sequence number. */
export function headEvents(call: Call, id: string = call.id): StreamEvent[] {
  const { background } = call.request;
  const opening: StreamEvent[] = [
    { type: 'response.created', response: responseObject(call, background ? 'queued' : 'in_progress', id) },
  ];
  if (background) opening.push({ type: 'response.queued', response: responseObject(call, 'queued', id) });
  opening.push({ type: 'response.in_progress', response: responseObject(call, 'in_progress', id) });
  return [...opening, ...call.answer.items.flatMap((item, index) => itemEvents(call, item, index))];
}

/** The event that ends the stream; undefined while the call runs, and for a cancelled one: OpenAI has none for that. */
export function terminalEvent(call: Call, id: string = call.id): StreamEvent | undefined {
  if (call.status === 'queued' || call.status === 'in_progress' || call.status === 'cancelled') return undefined;
  return { type: `response.${call.status}`, response: responseObject(call, call.status, id) };
}

/** The event as it goes over the wire. */
export function formatEvent(event: StreamEvent, sequenceNumber: number): string {
  const { type, ...rest } = event;
  return `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequenceNumber, ...rest })}\n\n`;
}
