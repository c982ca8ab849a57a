/** The Responses API on the wire. */
import type { Call } from '../calls/call.ts';
import { formatEvent, headEvents, terminalEvent } from '../calls/events.ts';
import { responseObject } from '../calls/response.ts';
import type { Wire, WireStream } from './wire.ts';

const HALF_AN_EVENT =
  'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"and th\n\n';

/** The call's stream; `id` where a retrieve answers with another's. */
export function responsesStream(call: Call, id?: string): WireStream {
  const events = headEvents(call, id);
  return {
    events,
    textOf(index) {
      const event = events[index];
      return event ? formatEvent(event, index) : '';
    },
    terminalText() {
      const terminal = terminalEvent(call, id);
      return terminal && formatEvent(terminal, events.length);
    },
    half: HALF_AN_EVENT,
  };
}

export const responsesWire: Wire = {
  api: 'responses',
  plain: (call) => ({ status: 200, body: responseObject(call) }),
  stream: (call) => responsesStream(call),
};
