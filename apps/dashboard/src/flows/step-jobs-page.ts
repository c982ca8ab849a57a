/** The jobs of one step, a page at a time; or those of them that failed, looked for among so many at once. */
import { isTerminal, type JobStatus, NotFoundError } from '@millrace/core';
import { type Flow, jobErrors, jobStatuses, readSayings, type Store, stepJobs } from '@millrace/queue';
import { MESSAGE_CHARACTERS, SAID_BYTES, STEP_JOBS_LOOKED_AT, STEP_JOBS_SHOWN } from '../bounds.ts';
import { oneLine } from '../excerpt.ts';
import type { StepJobsView } from '../views/flows.ts';

/**
 * @param from the place in the step's list to begin at
 * @throws NotFoundError
 */
export async function stepJobsPage(
  store: Store,
  flow: Flow,
  step: string,
  from: number,
  failedOnly: boolean,
): Promise<StepJobsView> {
  if (!Object.hasOwn(flow.steps, step)) {
    throw new NotFoundError(`The flow ${flow.id} has no step '${step.slice(0, 80)}'.`, 'step');
  }
  const all = stepJobs(store, flow, step);
  const places = all.slice(from, from + (failedOnly ? STEP_JOBS_LOOKED_AT : STEP_JOBS_SHOWN));
  const statuses = await jobStatuses(store, places);
  const found = places
    .map((place, index) => ({ ...place, index: from + index, status: statuses[index] ?? null }))
    .filter(({ status }) => !failedOnly || hasFailed(status));
  const shown = found.slice(0, STEP_JOBS_SHOWN);
  const [errors, said] = await Promise.all([jobErrors(store, shown), readSayings(store, shown, SAID_BYTES)]);
  const looked = found.length > shown.length ? (shown.at(-1)?.index ?? from) + 1 : from + places.length;
  return {
    total: all.length,
    jobs: shown.map(({ id, index, status }, at) => {
      const [error, text] = [errors[at] ?? null, said[at] ?? null];
      return {
        ...{ id, index, status },
        error: error && {
          code: oneLine(String(error.code), MESSAGE_CHARACTERS),
          message: oneLine(String(error.message), MESSAGE_CHARACTERS),
        },
        said: text === null ? null : oneLine(text, MESSAGE_CHARACTERS),
      };
    }),
    next: looked < all.length ? looked : null,
  };
}

function hasFailed(status: JobStatus | null): boolean {
  return status === null || (isTerminal(status) && status !== 'completed');
}
