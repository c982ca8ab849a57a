/**
 * Reads a streamed answer down to its terminal event. Deltas are passed over unparsed: the terminal event carries the
 * whole response, and a stream without one is not complete, however much text it brought.
 */
import { StringDecoder } from 'node:string_decoder';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { AnswerTooLargeError, type BodySink, MAX_RESPONSE_BYTES } from './body-text.ts';
import { isObject, parseJson } from './json.ts';

/** The terminal event holds the whole response, so it may be as large. The parser counts characters: never more bytes. */
export const MAX_EVENT_BYTES = MAX_RESPONSE_BYTES;

const TERMINAL_EVENTS: ReadonlySet<string> = new Set(['response.completed', 'response.incomplete', 'response.failed']);

export type StreamResult =
  /** The `response` of the terminal event, not yet looked at. */
  | { kind: 'response'; response: unknown }
  /** An `error` event: its data, parsed where it could be. */
  | { kind: 'error'; error: unknown }
  /** A terminal event whose data is no JSON. */
  | { kind: 'garbled' };

export class EventReader implements BodySink {
  /** null until a terminal event was seen. */
  result: StreamResult | null = null;
  /** The upstream's id for the response, once the stream has told it. */
  responseId: string | null = null;
  readonly #decoder = new StringDecoder('utf8');
  #overflown = false;
  readonly #parser = createParser({
    maxBufferSize: MAX_EVENT_BYTES,
    onEvent: (event) => this.#take(event),
    onError: (error) => {
      // Unknown fields and odd retry values are to be ignored, by the standard.
      if (error.type === 'max-buffer-size-exceeded') this.#overflown = true;
    },
  });

  get finished(): boolean {
    return this.result !== null;
  }

  push(chunk: Buffer): void {
    if (this.finished) return;
    this.#parser.feed(this.#decoder.write(chunk));
    // An event that came before the overflow counts: it may be the terminal one.
    if (this.#overflown && !this.finished) throw new AnswerTooLargeError('An event of the stream', MAX_EVENT_BYTES);
  }

  #take({ event, data }: EventSourceMessage): void {
    if (this.finished || data === '[DONE]') return;
    const wanted = event === undefined || event === 'message' ? this.#typeInside(data) : event;
    if (wanted === 'error') this.result = { kind: 'error', error: parseJson(data) ?? data };
    else if (wanted === 'response.created') this.responseId = idOf(responseIn(data));
    else if (TERMINAL_EVENTS.has(wanted)) {
      const response = responseIn(data);
      this.result = response === undefined ? { kind: 'garbled' } : { kind: 'response', response };
    }
  }

  /** For servers that name no events: the type their data tells, or `error` for an error object without a type. */
  #typeInside(data: string): string {
    const value = parseJson(data);
    if (!isObject(value)) return '';
    if (typeof value['type'] === 'string') return value['type'];
    return value['error'] ? 'error' : '';
  }
}

function responseIn(data: string): unknown {
  const value = parseJson(data);
  return isObject(value) ? value['response'] : undefined;
}

function idOf(response: unknown): string | null {
  return isObject(response) && typeof response['id'] === 'string' ? response['id'] : null;
}
