/** What the pages of failures are told of as it changes. */
import type { Store } from '@millrace/queue';
import { polled, type Source } from '../live.ts';
import type { JobIndex } from '../search/job-index.ts';
import { readActionDetail, readActions } from './read-actions.ts';
import { readCohort, readFailures } from './read-failures.ts';
import { causeIdOf, spanOf } from './span.ts';

/** An action's progress; the index is not asked as often. */
const ACTION_MS = 500;
const FAILURES_MS = 3000;

/**
 * `action:<id>`, `actions`, `cohort:<hours>:<queue>:<cause>` and `failures:<hours>:<queue>`; an empty queue means all.
 * @throws InvalidRequestError naming the part of it that is wrong
 */
export function failureTopic({ store, index }: { store: Store; index: JobIndex }, topic: string): Source {
  const every = (ms: number, read: () => Promise<object>): Source =>
    polled(
      () => store.liveness.guard(read),
      ms,
      (error) => store.log.warn({ err: error }, 'Failures could not be read'),
    );
  const [kind, which = '', queue = '', cause] = topic.split(':');
  if (kind === 'action') return every(ACTION_MS, () => readActionDetail(store, which));
  if (kind === 'actions') return every(FAILURES_MS, () => readActions(store));
  const span = spanOf(store, which, queue);
  if (kind === 'failures') return every(FAILURES_MS, () => readFailures(store, index, span));
  const id = causeIdOf(cause);
  return every(FAILURES_MS, () => readCohort(store, index, span, id));
}
