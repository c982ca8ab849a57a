/** How an API puts a call's answer over the wire: whole, or event by event. */
import type { Call } from '../calls/call.ts';
import type { StreamEvent } from '../calls/events.ts';
import type { Api } from '../calls/ledger.ts';
import type { JsonObject } from '../json.ts';

export interface PlainAnswer {
  status: number;
  body: JsonObject;
}

export interface WireStream {
  /** All events but the last, as the call makes them visible one after the other. */
  events: StreamEvent[];
  /** What event `index` is written as; empty where the API has no word for it. */
  textOf(index: number): string;
  /** What ends the stream; undefined where nothing does. */
  terminalText(): string | undefined;
  /** The beginning of an event that breaks off within its JSON. */
  half: string;
}

export interface Wire {
  api: Api;
  /** The answer of a call that has ended, or of one in the background that is queued. */
  plain(call: Call): PlainAnswer;
  stream(call: Call): WireStream;
}
