/**
 * One HTTP exchange: a request out, its answer in, over undici's dispatch. It ends exactly once, in one of three ways,
 * and from then on holds no timer and no running connection. It knows for certain whether anything was sent, which is
 * what "possibly billed" rests on.
 */
import type { Dispatcher } from 'undici';
import type { AbortKind } from './abort-reason.ts';
import { AnswerHeaders, NO_HEADERS } from './answer-headers.ts';
import { type BodySink, BodyText, MAX_ERROR_BYTES, MAX_RESPONSE_BYTES } from './body-text.ts';
import { type BodyDecoder, openDecoder } from './decode-body.ts';
import { type EventListener, EventReader, type Opening } from './event-reader.ts';

/** Who stopped it: the caller's signal, or the call's own time limit. */
export type StoppedBy = AbortKind | 'timeout';

export type Ending =
  | { kind: 'complete' }
  | { kind: 'stopped'; by: StoppedBy }
  /** The connection, the protocol or a limit: `error` says which. */
  | { kind: 'broken'; error: Error };

/**
 * How long the end of a stream is awaited after its terminal event. The answer is whole by then: waiting only keeps
 * the connection usable, and the chunk that closes it is normally already on its way.
 */
const LINGER_MS = 1000;

export interface ExchangeRequest {
  path: string;
  method: string;
  headers: Record<string, string>;
  body: string | null;
}

export class Exchange implements Dispatcher.DispatchHandler {
  /** False when nothing was ever dispatched: then it never ends either. */
  started = false;
  /** The request went, at least in part, to a connected socket: from here on the upstream may have it. */
  sent = false;
  /** null until headers came. */
  status: number | null = null;
  headers: AnswerHeaders = NO_HEADERS;
  /** null until headers came. */
  body: BodyText | EventReader | null = null;
  readonly ended: Promise<Ending>;

  readonly #prompt: boolean;
  readonly #idleMs: number;
  readonly #onOpening: ((opening: Opening) => void) | null;
  readonly #onEvent: EventListener | null;
  readonly #end: (ending: Ending) => void;
  #over = false;
  #controller: Dispatcher.DispatchController | null = null;
  #decoder: BodyDecoder | null = null;
  #linger: NodeJS.Timeout | null = null;
  #answerHeaders: { resolve: () => void; reject: (error: Error) => void } | null = null;

  /**
   * @param prompt whether the answer begins at once, as a stream and anything looked up do: then silence from the moment
   *   of sending counts as idle. The headers of a plain answer come only when the model is done, so there idleness
   *   counts from them on.
   * @param idleMs the longest silence. undici's timers for it are coarse: they fire up to a second late.
   * @param onOpening told once, as soon as a stream has told its response's id. Must not throw.
   * @param onEvent told each event of a stream
   */
  constructor(
    prompt: boolean,
    idleMs: number,
    onOpening: ((opening: Opening) => void) | null = null,
    onEvent: EventListener | null = null,
  ) {
    this.#prompt = prompt;
    this.#idleMs = idleMs;
    this.#onOpening = onOpening;
    this.#onEvent = onEvent;
    const { promise, resolve } = Promise.withResolvers<Ending>();
    this.ended = promise;
    this.#end = resolve;
  }

  /** The upstream's id for the response, where a stream told it. */
  get upstreamId(): string | undefined {
    return this.body instanceof EventReader ? (this.body.responseId ?? undefined) : undefined;
  }

  /** Of the last event that was read of a stream, where it had one. */
  get sequence(): number | null {
    return this.body instanceof EventReader ? this.body.sequence : null;
  }

  /** Sends it; resolves when the answer's headers are in, rejects when it ends before. To be called once. */
  dispatch(dispatcher: Dispatcher, request: ExchangeRequest): Promise<void> {
    this.started = true;
    return new Promise((resolve, reject) => {
      if (this.#over) return reject(new Error('the exchange is over'));
      this.#answerHeaders = { resolve, reject };
      const headersTimeout = this.#prompt ? this.#idleMs : 0;
      try {
        dispatcher.dispatch({ ...request, headersTimeout, bodyTimeout: this.#idleMs }, this);
      } catch (error) {
        this.#settle({ kind: 'broken', error: error instanceof Error ? error : new Error(String(error)) });
      }
    });
  }

  /** Ends it now, unless it has ended, or has all it wanted: a complete, paid answer is never thrown away. */
  stop(by: StoppedBy): void {
    this.#drop(this.body?.finished ? { kind: 'complete' } : { kind: 'stopped', by });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Stopped while it waited for a connection: undici writes nothing after an abort here.
    if (this.#over) {
      controller.abort(new Error('stopped before it was sent'));
      return;
    }
    this.#controller = controller;
    this.sent = true;
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    if (status < 200) return;
    this.status = status;
    this.headers = new AnswerHeaders(headers);
    this.body = this.#openBody(status);
    try {
      this.#decoder = openDecoder(this.headers.get('content-encoding'), {
        onData: (chunk) => this.#take(chunk),
        onDrain: () => controller.resume(),
        onEnd: () => this.#settle({ kind: 'complete' }),
        onError: (error) => this.#drop({ kind: 'broken', error }),
      });
      this.#answerHeaders?.resolve();
      this.#answerHeaders = null;
    } catch (error) {
      this.#drop({ kind: 'broken', error: error as Error });
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#over) return;
    if (this.#decoder === null) this.#take(chunk);
    else if (!this.#decoder.write(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    if (this.#decoder === null || this.#over) this.#settle({ kind: 'complete' });
    else this.#decoder.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.#settle(this.body?.finished ? { kind: 'complete' } : { kind: 'broken', error });
  }

  #openBody(status: number): BodyText | EventReader {
    if (status >= 300) return new BodyText(MAX_ERROR_BYTES, 'cut');
    // By what came, not by what was asked for: some servers stream unasked, others ignore `stream`.
    const type = this.headers.get('content-type');
    if (type?.toLowerCase().includes('text/event-stream')) return new EventReader(this.#onOpening, this.#onEvent);
    return new BodyText(MAX_RESPONSE_BYTES, 'throw');
  }

  #take(chunk: Buffer): void {
    const body: BodySink | null = this.body;
    if (this.#over || body === null || body.finished) return;
    try {
      body.push(chunk);
      if (body.finished) this.#linger ??= setTimeout(() => this.#drop({ kind: 'complete' }), LINGER_MS);
    } catch (error) {
      this.#drop({ kind: 'broken', error: error as Error });
    }
  }

  /** Ends it and gives up the connection with it. */
  #drop(ending: Ending): void {
    if (this.#over) return;
    this.#settle(ending);
    this.#controller?.abort(new Error('dropped'));
  }

  #settle(ending: Ending): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#linger !== null) clearTimeout(this.#linger);
    this.#decoder?.close();
    this.#end(ending);
    // Whoever still waits for headers must not wait for ever. (An error costs a stack: none is made in vain.)
    this.#answerHeaders?.reject(ending.kind === 'broken' ? ending.error : new Error('the exchange is over'));
    this.#answerHeaders = null;
  }
}
