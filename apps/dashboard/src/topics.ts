/** What pages can be told of as it changes, by the name they ask for it: the one list of it. */
import type { Store } from '@millrace/queue';
import { COST_POLL_MS, COST_SPANS } from './bounds.ts';
import { failureTopic } from './failures/failure-topics.ts';
import { polled, type Source } from './live.ts';
import { readCost } from './read-cost.ts';
import type { JobIndex } from './search/job-index.ts';

export interface TopicTerms {
  store: Store;
  index: JobIndex;
  /** What every page shows: the queues, the limits, whether Redis is there. */
  overview: Source;
}

/** @returns what is told under a name, or null where there is nothing of that name */
export function topicsOf({ store, index, overview }: TopicTerms): (name: string) => Promise<Source | null> {
  return async (name) => {
    const [kind, which = ''] = name.split(':');
    switch (kind) {
      case 'overview':
        return overview;
      // What each page adds stands here, in the order of the alphabet.
      case 'action':
      case 'actions':
      case 'cohort':
      case 'failures':
        return failureTopic({ store, index }, name);
      case 'cost':
        if (!COST_SPANS.includes(Number(which))) return null;
        return polled(
          () => store.liveness.guard(() => readCost(store, Number(which))),
          COST_POLL_MS,
          (error) => store.log.warn({ err: error }, 'What was spent could not be read'),
        );
      default:
        return null;
    }
  };
}
