/**
 * A body that is wanted whole, as it arrives. It never holds more than twice its bytes, however small the pieces are:
 * a list of one-byte chunks would cost a hundred times what was counted.
 */

/** The largest answer that is read. OpenAI's largest are a few MiB; beyond this the answer is not one. */
export const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;

/** How much of an error answer is read: it is only an explanation, and the status has already decided. */
export const MAX_ERROR_BYTES = 1024 * 1024;

/** Where a body goes, piece by piece. */
export interface BodySink {
  /** @throws AnswerTooLargeError when the limit is passed. */
  push(chunk: Buffer): void;
  /** Nothing that follows can matter: what was wanted is here, whatever becomes of the connection. */
  readonly finished: boolean;
}

/** The answer is larger than its limit; the connection must be dropped. */
export class AnswerTooLargeError extends Error {
  override readonly name = 'AnswerTooLargeError';
  constructor(what: string, limitBytes: number) {
    super(`${what} is larger than ${limitBytes / 1024 / 1024} MiB`);
  }
}

export class BodyText implements BodySink {
  finished = false;
  readonly #limitBytes: number;
  readonly #onLimit: 'throw' | 'cut';
  #bytes: Buffer | null = null;
  #length = 0;

  /** @param onLimit `cut` keeps the first `limitBytes` and calls the body finished. */
  constructor(limitBytes: number, onLimit: 'throw' | 'cut') {
    this.#limitBytes = limitBytes;
    this.#onLimit = onLimit;
  }

  push(chunk: Buffer): void {
    const room = this.#limitBytes - this.#length;
    if (chunk.length > room && this.#onLimit === 'throw') throw new AnswerTooLargeError('The answer', this.#limitBytes);
    this.#append(chunk.length > room ? chunk.subarray(0, room) : chunk);
    this.finished = chunk.length > room;
  }

  /** What has arrived so far, as UTF-8. */
  text(): string {
    return this.#bytes === null ? '' : this.#bytes.toString('utf8', 0, this.#length);
  }

  #append(chunk: Buffer): void {
    if (this.#bytes === null) {
      // Nearly every answer comes in one piece: it is kept as it is, without a copy.
      this.#bytes = chunk;
      this.#length = chunk.length;
      return;
    }
    const length = this.#length + chunk.length;
    if (length > this.#bytes.length || this.#length === this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(length, this.#bytes.length * 2));
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    chunk.copy(this.#bytes, this.#length);
    this.#length = length;
  }
}
