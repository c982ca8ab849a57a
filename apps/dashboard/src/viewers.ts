/**
 * Fans one live page out to everybody who watches, as server-sent events: what changed is rendered once and written to
 * all. The number of viewers is bounded, and so is what waits for one that does not read: it is dropped, and its
 * browser connects again.
 */
import type { Request, Response } from 'express';
import { MAX_VIEWER_BUFFER_BYTES, MAX_VIEWERS } from './bounds.ts';
import type { Html } from './html.ts';
import type { Poll } from './poll.ts';

/** Parts of the page by the name in their `data-live` attribute. */
export type Regions = ReadonlyMap<string, Html>;

export interface Viewers {
  /** Serves one viewer until it leaves. */
  watch(request: Request, response: Response): Promise<void>;
  count(): number;
  /** Ends every stream. */
  close(): void;
}

export interface ViewersOptions<T> {
  poll: Poll<T>;
  regionsOf: (value: T) => Regions;
  /** Of the page these regions belong to; a browser that shows another one reloads. */
  pageVersion: string;
  maxViewers?: number;
  /** How many watch other pages: all have the same places. */
  elsewhere?: () => number;
  /** The last viewer has left. */
  onDeserted?: () => void;
  maxBufferBytes?: number;
}

/** How soon a browser connects again after its stream ended. */
const RECONNECT_MS = 1000;
const FULL_RETRY_SECONDS = 10;

export function openViewers<T>(options: ViewersOptions<T>): Viewers {
  const { poll, regionsOf, pageVersion, elsewhere = () => 0, onDeserted = () => undefined } = options;
  const { maxViewers = MAX_VIEWERS, maxBufferBytes = MAX_VIEWER_BUFFER_BYTES } = options;
  const viewers = new Set<Response>();
  let shown = new Map<string, string>();
  let unfollow: (() => void) | null = null;
  let closed = false;

  const event = (regions: ReadonlyMap<string, string>): string =>
    `data: ${JSON.stringify({ at: Date.now(), page: pageVersion, regions: Object.fromEntries(regions) })}\n\n`;

  /** What is remembered as shown is what every viewer shows; so a newcomer's value is told to all, to it in full. */
  const tell = (value: T, newcomer?: Response): void => {
    const next = markup(regionsOf(value));
    const changed = new Map([...next].filter(([name, text]) => shown.get(name) !== text));
    shown = next;
    const message = event(changed);
    for (const viewer of viewers) {
      if (viewer === newcomer) viewer.write(event(shown));
      else if (viewer.writableLength <= maxBufferBytes) viewer.write(message);
      else {
        leave(viewer);
        viewer.destroy();
      }
    }
  };

  const leave = (viewer: Response): void => {
    if (!viewers.delete(viewer) || viewers.size > 0) return;
    unfollow?.();
    unfollow = null;
    onDeserted();
  };

  return {
    watch: async (request, response) => {
      if (closed || viewers.size + elsewhere() >= maxViewers) {
        response.status(503).set('retry-after', String(FULL_RETRY_SECONDS)).type('text').send('Too many viewers.\n');
        return;
      }
      response.set({
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        // nginx would hold the events back until it has a page of them.
        'x-accel-buffering': 'no',
      });
      if (request.method === 'HEAD') {
        response.end();
        return;
      }
      viewers.add(response);
      response.once('close', () => leave(response));
      // A write to a viewer that has just gone is no trouble of ours; its 'close' follows.
      response.on('error', () => undefined);
      response.flushHeaders();
      response.write(`retry: ${RECONNECT_MS}\n\n`);
      const value = await poll.latest();
      if (!viewers.has(response)) return;
      tell(value, response);
      unfollow ??= poll.follow((next) => tell(next));
    },
    count: () => viewers.size,
    close: () => {
      closed = true;
      unfollow?.();
      unfollow = null;
      for (const viewer of viewers) viewer.end();
    },
  };
}

function markup(regions: Regions): Map<string, string> {
  return new Map([...regions].map(([name, region]) => [name, region.toString()]));
}
