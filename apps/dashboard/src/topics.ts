/** What pages can be told of as it changes, by the name they ask for it: the one list of it. */
import type { Store } from '@millrace/queue';
import { batchesTopic, batchTopic } from './batches/batch-topics.ts';
import { COST_POLL_MS, COST_SPANS } from './bounds.ts';
import { actionsTopic, actionTopic, cohortTopic, failuresTopic } from './failures/failure-topics.ts';
import { flowsTopic, flowTopic } from './flows/flow-topics.ts';
import { jobTopic } from './job-topic.ts';
import { polled, type Source } from './live.ts';
import { readCost } from './read-cost.ts';
import type { JobIndex } from './search/job-index.ts';

export interface TopicTerms {
  store: Store;
  index: JobIndex;
  /** What every page shows: the queues, the limits, whether Redis is there. */
  overview: Source;
  /** The last hour's lines. */
  history: Source;
}

/** Makes a source of what stands after the topic's name and a colon; null: there is no such thing. */
type Open = (which: string) => Source | null | Promise<Source | null>;

/** @returns what is told under a name, or null where there is nothing of that name */
export function topicsOf({ store, index, overview, history }: TopicTerms): (name: string) => Promise<Source | null> {
  const at = { store, index };
  const single: Readonly<Record<string, () => Source>> = {
    actions: () => actionsTopic(at),
    batches: () => batchesTopic(store),
    flows: () => flowsTopic(store),
    history: () => history,
    overview: () => overview,
  };
  const many: Readonly<Record<string, Open>> = {
    action: (id) => actionTopic(at, id),
    batch: (id) => batchTopic(store, id),
    cohort: (which) => cohortTopic(at, which),
    cost: (days) => costTopic(store, days),
    failures: (which) => failuresTopic(at, which),
    flow: (id) => flowTopic(store, id),
    job: (id) => jobTopic(store, id),
  };
  // One thing has one name: each name more would be read for itself.
  return async (name) => {
    const [kind = '', which] = name.split(/:(.*)/s);
    if (which === undefined) return Object.hasOwn(single, kind) ? (single[kind]?.() ?? null) : null;
    return Object.hasOwn(many, kind) ? ((await many[kind]?.(which)) ?? null) : null;
  };
}

function costTopic(store: Store, asked: string): Source | null {
  const days = COST_SPANS.find((span) => String(span) === asked);
  if (days === undefined) return null;
  return polled(
    () => store.liveness.guard(() => readCost(store, days)),
    COST_POLL_MS,
    (error) => store.log.warn({ err: error }, 'What was spent could not be read'),
  );
}
