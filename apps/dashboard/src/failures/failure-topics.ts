/** What the pages of failures are told of as it changes. */
import { isActionId, type Store } from '@millrace/queue';
import { polled, type Source } from '../live.ts';
import type { JobIndex } from '../search/job-index.ts';
import { readActionDetail, readActions } from './read-actions.ts';
import { readCohort, readFailures } from './read-failures.ts';
import { causeIdOf, spanOf } from './span.ts';

/** An action's progress; the index is not asked as often. */
const ACTION_MS = 500;
const FAILURES_MS = 3000;

interface At {
  store: Store;
  index: JobIndex;
}

export const actionsTopic = (at: At): Source => every(FAILURES_MS, at, () => readActions(at.store));

/** null: that is no action's id. One that is gone is told as such. */
export function actionTopic(at: At, id: string): Source | null {
  return isActionId(id) ? every(ACTION_MS, at, () => readActionDetail(at.store, id)) : null;
}

/**
 * @param which `<hours>:<queue>`; an empty queue means all
 * @throws InvalidRequestError naming the part of it that is wrong
 */
export function failuresTopic(at: At, which: string): Source | null {
  const [hours, queue, ...more] = which.split(':');
  if (queue === undefined || more.length > 0) return null;
  const span = spanOf(at.store, hours, queue);
  return every(FAILURES_MS, at, () => readFailures(at.store, at.index, span));
}

/**
 * @param which `<hours>:<queue>:<cause>`
 * @throws InvalidRequestError naming the part of it that is wrong
 */
export function cohortTopic(at: At, which: string): Source | null {
  const [hours, queue, cause, ...more] = which.split(':');
  if (cause === undefined || more.length > 0) return null;
  const [span, id] = [spanOf(at.store, hours, queue), causeIdOf(cause)];
  return every(FAILURES_MS, at, () => readCohort(at.store, at.index, span, id));
}

function every(ms: number, { store }: At, read: () => Promise<object>): Source {
  return polled(
    () => store.liveness.guard(read),
    ms,
    (error) => store.log.warn({ err: error }, 'Failures could not be read'),
  );
}
