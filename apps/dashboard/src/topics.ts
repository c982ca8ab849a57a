/** What pages can be told of as it changes, by the name they ask for it: the one list of it. */
import type { Store } from '@millrace/queue';
import { batchesTopic, batchTopic } from './batches/batch-topics.ts';
import { COST_POLL_MS, COST_SPANS } from './bounds.ts';
import { flowsTopic, flowTopic } from './flows/flow-topics.ts';
import { polled, type Source } from './live.ts';
import { readCost } from './read-cost.ts';

export interface TopicTerms {
  store: Store;
  /** What every page shows: the queues, the limits, whether Redis is there. */
  overview: Source;
  /** The last hour's lines. */
  history: Source;
}

/** Makes a source of what stands after the topic's name and a colon; null: there is no such thing. */
type Open = (which: string) => Source | null | Promise<Source | null>;

/** @returns what is told under a name, or null where there is nothing of that name */
export function topicsOf({ store, overview, history }: TopicTerms): (name: string) => Promise<Source | null> {
  const topics: Readonly<Record<string, Open>> = {
    batch: (id) => batchTopic(store, id),
    batches: () => batchesTopic(store),
    cost: (days) => costTopic(store, Number(days)),
    flow: (id) => flowTopic(store, id),
    flows: () => flowsTopic(store),
    history: () => history,
    overview: () => overview,
  };
  return async (name) => {
    const [kind = '', which = ''] = name.split(':');
    return Object.hasOwn(topics, kind) ? ((await topics[kind]?.(which)) ?? null) : null;
  };
}

function costTopic(store: Store, days: number): Source | null {
  if (!COST_SPANS.includes(days)) return null;
  return polled(
    () => store.liveness.guard(() => readCost(store, days)),
    COST_POLL_MS,
    (error) => store.log.warn({ err: error }, 'What was spent could not be read'),
  );
}
