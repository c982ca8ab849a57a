/** A background response under way: its id, and how far its stream was read, over all exchanges that read it. */
import type { Reattachable } from '@millrace/core';
import type { Exchange } from './exchange.ts';

/** What the caller may know of it while it runs, to keep a checkpoint. */
export interface Started {
  readonly upstreamId: string;
  /** Sequence number of the last event read so far, live; null where there is none. */
  readonly sequence: number | null;
}

/** Printable ASCII, of a length that fits a path, and no step of one: anything else cannot be asked for again. */
const USABLE_ID = /^(?!\.{1,2}$)[\x21-\x7e]{1,256}$/;

/** Whether a response of this id can be retrieved at all. */
export function isUsableId(id: string): boolean {
  return USABLE_ID.test(id);
}

export class BackgroundResponse implements Started {
  readonly upstreamId: string;
  #readBefore: number | null;
  #exchange: Exchange | null = null;

  constructor(upstreamId: string, readBefore: number | null) {
    this.upstreamId = upstreamId;
    this.#readBefore = readBefore;
  }

  get sequence(): number | null {
    return this.#exchange?.sequence ?? this.#readBefore;
  }

  /** From now on this exchange reads it. */
  readBy(exchange: Exchange): void {
    this.#readBefore = this.sequence;
    this.#exchange = exchange;
  }

  get reattach(): Reattachable {
    return { upstreamId: this.upstreamId, startingAfter: this.sequence };
  }
}
