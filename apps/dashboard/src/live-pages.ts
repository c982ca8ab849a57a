/**
 * Every live page and who watches it: a page costs something only while somebody does, and all pages together have one
 * number of places.
 */
import type { Request, Response } from 'express';
import { MAX_VIEWERS } from './bounds.ts';
import { openViewers, type Viewers, type ViewersOptions } from './viewers.ts';

export interface LivePages {
  /**
   * Serves one viewer until it leaves.
   * @param path of the page: whoever watches the same one shares what is read for it
   * @param open is asked what to read and show when nobody watches the page yet
   */
  watch<T>(path: string, open: () => LivePage<T>, request: Request, response: Response): Promise<void>;
  count(): number;
  /** Ends every stream. */
  close(): void;
}

export type LivePage<T> = Pick<ViewersOptions<T>, 'poll' | 'regionsOf'>;

/** @param pageVersion a browser that shows another one reloads */
export function openLivePages(pageVersion: string, maxViewers = MAX_VIEWERS): LivePages {
  const pages = new Map<string, Viewers>();
  let closed = false;

  const count = (): number => [...pages.values()].reduce((sum, viewers) => sum + viewers.count(), 0);

  const openPage = <T>(path: string, page: LivePage<T>): Viewers => {
    const viewers: Viewers = openViewers({
      ...page,
      pageVersion,
      maxViewers,
      elsewhere: () => count() - viewers.count(),
      onDeserted: () => pages.delete(path),
    });
    pages.set(path, viewers);
    return viewers;
  };

  return {
    watch: async (path, open, request, response) => {
      const viewers = pages.get(path) ?? openPage(path, open());
      if (closed) viewers.close();
      const watching = viewers.watch(request, response);
      // Who was refused, or asked for the headers only, does not watch.
      if (viewers.count() === 0) pages.delete(path);
      await watching;
    },
    count,
    close: () => {
      closed = true;
      for (const viewers of pages.values()) viewers.close();
    },
  };
}
