/** What the pages of failures are told of as it changes. */
import { InvalidRequestError } from '@millrace/core';
import type { Store } from '@millrace/queue';
import { polled, type Source } from '../live.ts';
import type { JobIndex } from '../search/job-index.ts';
import type { CohortDetailView, FailuresView } from '../views/failures.ts';
import { readActionDetail, readActions } from './read-actions.ts';
import { readCohort, readFailures } from './read-failures.ts';
import { causeIdOf, spanOf } from './span.ts';

/** An action's progress; the index is not asked as often. */
const ACTION_MS = 500;
const FAILURES_MS = 3000;

/**
 * `action:<id>`, `actions`, `cohort:<hours>:<queue>:<cause>` and `failures:<hours>:<queue>`; an empty queue means all.
 * A part of it that is wrong is told in words: an old link must not cost its page what else it is told.
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
  try {
    const span = spanOf(store, which, queue);
    if (kind === 'failures') return every(FAILURES_MS, () => readFailures(store, index, span));
    const id = causeIdOf(cause);
    return every(FAILURES_MS, () => readCohort(store, index, span, id));
  } catch (error) {
    if (!(error instanceof InvalidRequestError)) throw error;
    return once({ total: 0, finished: 0, cohorts: [], until: null, cohort: null, jobs: [], trouble: error.message });
  }
}

function once(value: FailuresView & CohortDetailView): Source {
  return (tell) => {
    tell(value);
    return () => undefined;
  };
}
