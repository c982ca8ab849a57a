/** What pages can be told of as it changes, by the name they ask for it: the one list of it. */
import type { Store } from '@millrace/queue';
import { jobTopic } from './job-topic.ts';
import type { Source } from './live.ts';

export interface TopicTerms {
  store: Store;
  /** What every page shows: the queues, the limits, whether Redis is there. */
  overview: Source;
}

/** @returns what is told under a name, or null where there is nothing of that name */
export function topicsOf({ store, overview }: TopicTerms): (name: string) => Promise<Source | null> {
  return async (name) => {
    const [kind, id = ''] = name.split(':');
    switch (kind) {
      case 'overview':
        return overview;
      // What each page adds stands here, in the order of the alphabet.
      case 'job':
        return jobTopic(store, id);
      default:
        return null;
    }
  };
}
