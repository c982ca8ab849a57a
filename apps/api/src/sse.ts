/** Server-sent events to one client: memory stays bounded by what is written before the client takes it. */
import { once } from 'node:events';
import type { Response } from 'express';

/** A client that takes nothing for so long is gone, or might as well be. */
const STUCK_MS = 60_000;

export interface EventStream {
  /**
   * Resolves when the client can take more.
   * @returns false when the client is gone
   */
  write(frames: string): Promise<boolean>;
  end(): void;
}

/** Sends the headers at once. */
export function openEventStream(response: Response, headers: Record<string, string>): EventStream {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    // Proxies that gather what they pass on would hold events back.
    'x-accel-buffering': 'no',
    ...headers,
  });
  response.flushHeaders();
  return {
    write: async (frames) => {
      if (response.destroyed || response.closed) return false;
      if (response.write(frames)) return true;
      const over = new AbortController();
      const stuck = setTimeout(() => response.destroy(), STUCK_MS);
      try {
        await Promise.race(['drain', 'close'].map((event) => once(response, event, { signal: over.signal })));
      } finally {
        clearTimeout(stuck);
        over.abort();
      }
      return !response.destroyed;
    },
    end: () => {
      response.end();
    },
  };
}

/** One event as it goes over the wire. */
export function eventFrame(event: { type: string }): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** Says nothing, and keeps the connection. */
export const KEEP_ALIVE = ': keep-alive\n\n';
