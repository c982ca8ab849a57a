/** The ways a connection can end badly in the middle of an answer that has been paid for. */
import { once } from 'node:events';
import type { FaultKind } from '../calls/faults.ts';
import type { Exchange } from './exchange.ts';

/** 64 MB: what no reader of lines or bodies should hold in memory. */
const HUGE_BYTES = 64 * 1024 * 1024;
const PADDING = Buffer.alloc(1024 * 1024, ' ');
/** Lets what was written before reach the client: a reset discards what is still on its way. */
const RESET_AFTER_MS = 20;

const BREAKS = ['mute', 'stall', 'rst', 'fin', 'badjson', 'noterminal', 'hugeline'] as const;
export type Break = (typeof BREAKS)[number];

/** The fault as a break of the connection; undefined for those that change the answer instead. */
export function asBreak(kind: FaultKind | undefined): Break | undefined {
  return BREAKS.find((name) => name === kind);
}

/** Writes `half` of an answer, then ends the connection as the fault says. */
export function breakAfter(exchange: Exchange, half: string, kind: 'stall' | 'rst' | 'fin'): void {
  const { res, socket } = exchange;
  res.write(half, () => {
    if (kind === 'fin') socket.end();
    if (kind !== 'rst') return;
    const timer = setTimeout(() => socket.resetAndDestroy(), RESET_AFTER_MS);
    socket.once('close', () => clearTimeout(timer));
  });
}

/** How many bytes of white space `writePadding` adds. */
export const PADDING_BYTES = HUGE_BYTES;

/** Writes 64 MB of spaces, no faster than they are read. Returns false where the client left meanwhile. */
export async function writePadding({ res, socket }: Exchange): Promise<boolean> {
  const left = new AbortController();
  const leave = () => left.abort();
  socket.once('close', leave);
  try {
    for (let bytes = 0; bytes < HUGE_BYTES && !socket.destroyed; bytes += PADDING.length) {
      if (!res.write(PADDING)) await once(res, 'drain', { signal: left.signal });
    }
    return !socket.destroyed;
  } catch {
    // Only the signal can throw here: the client left.
    return false;
  } finally {
    socket.off('close', leave);
  }
}
