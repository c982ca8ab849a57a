/**
 * One call under way, over as many exchanges as it takes: at any moment one of them runs, or a pause between two. A stop
 * ends exactly that; after `close` there is neither timer, listener nor running connection.
 */
import type { BackgroundResponse } from './background-response.ts';
import type { Exchange, StoppedBy } from './exchange.ts';
import { startWatch, type Watch } from './watch.ts';

/**
 * How long a stop waits for a background response's id once its request is out: with it the response can be cancelled,
 * or re-attached to; without it, it is lost and perhaps paid. Upstreams tell it with the first event.
 */
const ID_GRACE_MS = 1000;

export class Flight {
  /** The exchange that runs, or ran last. */
  exchange: Exchange | null = null;
  /** The background response this call stands for, once its id is known. */
  response: BackgroundResponse | null = null;
  stoppedBy: StoppedBy | null = null;
  readonly #watch: Watch;
  #awaitsId = false;
  #grace: NodeJS.Timeout | null = null;
  #endPause: (() => void) | null = null;

  /** @param timeoutMs of the whole call, from now. */
  constructor(timeoutMs: number, signal: AbortSignal) {
    this.#watch = startWatch(timeoutMs, signal);
    this.#watch.stopped.then((by) => this.#stop(by));
  }

  /** Resolves when the call is to stop; for ever pending otherwise. */
  get stopped(): Promise<StoppedBy> {
    return this.#watch.stopped;
  }

  /** Makes this the exchange that a stop ends. One that comes too late is over before anything is sent. */
  begin(exchange: Exchange): Exchange {
    this.exchange = exchange;
    if (this.stoppedBy !== null) exchange.stop(this.stoppedBy);
    return exchange;
  }

  /** From now on the exchange may bring a response's id that is worth waiting for. */
  awaitId(): void {
    this.#awaitsId = true;
  }

  /** The id has come, or will not. */
  awaitIdNoMore(): void {
    this.#awaitsId = false;
    if (this.stoppedBy !== null) this.exchange?.stop(this.stoppedBy);
  }

  /** Resolves after `ms` milliseconds, or as soon as the call is to stop. */
  pause(ms: number): Promise<void> {
    if (this.stoppedBy !== null) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#endPause?.(), ms);
      this.#endPause = () => {
        clearTimeout(timer);
        this.#endPause = null;
        resolve();
      };
    });
  }

  close(): void {
    this.#watch.close();
    if (this.#grace !== null) clearTimeout(this.#grace);
    this.#endPause?.();
    this.exchange?.stop('shutdown');
  }

  #stop(by: StoppedBy): void {
    this.stoppedBy = by;
    this.#endPause?.();
    // A job that went to another worker has no more use for the id, and a call out of time none for the wait.
    if (this.#awaitsId && this.exchange?.sent && by !== 'lost' && by !== 'timeout') {
      this.#grace = setTimeout(() => this.exchange?.stop(by), ID_GRACE_MS);
    } else {
      this.exchange?.stop(by);
    }
  }
}
