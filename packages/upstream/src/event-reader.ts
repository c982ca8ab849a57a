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

/** The events that open a stream, each with the response as it stands: the first of them tells its id. */
const OPENING_EVENTS: ReadonlySet<string> = new Set(['response.created', 'response.queued', 'response.in_progress']);

/** Found without parsing the event: inside a JSON string the quotes would be escaped, so only a name can match. */
const SEQUENCE_NUMBER = /"sequence_number":\s?(\d{1,15})\b/;

const TERMINAL_EVENTS: ReadonlySet<string> = new Set(['response.completed', 'response.incomplete', 'response.failed']);

export type StreamResult =
  /** The `response` of the terminal event, not yet looked at. */
  | { kind: 'response'; response: unknown }
  /** An `error` event: its data, parsed where it could be. */
  | { kind: 'error'; error: unknown }
  /** A terminal event whose data is no JSON. */
  | { kind: 'garbled' };

/** What the opening of a stream tells of its response. */
export interface Opening {
  id: string;
  /** The response says of itself that it runs in the background. */
  background: boolean;
}

/** Told each event of a stream as it came, the terminal one too, but no `error` event. Must not throw. */
export type EventListener = (type: string, data: string) => void;

export class EventReader implements BodySink {
  /** null until a terminal event was seen. */
  result: StreamResult | null = null;
  /** The upstream's id for the response, once the stream has told it. */
  responseId: string | null = null;
  readonly #onOpening: ((opening: Opening) => void) | null;
  readonly #onEvent: EventListener | null;
  readonly #decoder = new StringDecoder('utf8');
  #overflown = false;
  /** The last event that came, less the terminal one; looked into only when somebody asks. */
  #latest = '';
  #sequence: number | null = null;
  readonly #parser = createParser({
    maxBufferSize: MAX_EVENT_BYTES,
    onEvent: (event) => this.#take(event),
    onError: (error) => {
      // Unknown fields and odd retry values are to be ignored, by the standard.
      if (error.type === 'max-buffer-size-exceeded') this.#overflown = true;
    },
  });

  /** @param onOpening told once, as soon as the stream has told its response's id. Must not throw. */
  constructor(onOpening: ((opening: Opening) => void) | null = null, onEvent: EventListener | null = null) {
    this.#onOpening = onOpening;
    this.#onEvent = onEvent;
  }

  get finished(): boolean {
    return this.result !== null;
  }

  /** Number of the last event that came; of one before it where that event tells none; null where none did. */
  get sequence(): number | null {
    const found = SEQUENCE_NUMBER.exec(this.#latest)?.[1];
    if (found !== undefined) this.#sequence = Number(found);
    return this.#sequence;
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
    if (wanted === 'error') {
      this.result = { kind: 'error', error: parseJson(data) ?? data };
      return;
    }
    if (this.responseId === null && OPENING_EVENTS.has(wanted)) this.#open(data);
    else if (TERMINAL_EVENTS.has(wanted)) {
      const response = responseIn(data);
      this.result = response === undefined ? { kind: 'garbled' } : { kind: 'response', response };
    } else this.#latest = data;
    this.#onEvent?.(wanted, data);
  }

  #open(data: string): void {
    this.#latest = data;
    const response = responseIn(data);
    if (!isObject(response) || typeof response['id'] !== 'string') return;
    this.responseId = response['id'];
    this.#onOpening?.({ id: response['id'], background: response['background'] === true });
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
