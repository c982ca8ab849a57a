/** The jobs of a step as its page lists them: the status of all, and more of those that are listed. */
import { isTerminal, type JobStatus, NotFoundError, type StepState } from '@millrace/core';
import { type Flow, jobErrors, jobStatuses, type Store, stepJobs } from '@millrace/queue';
import { STEP_JOBS_SHOWN } from './bounds.ts';
import type { StepView } from './pages/flow-step.ts';

/** @throws NotFoundError */
export async function readStep(store: Store, flow: Flow, step: string): Promise<StepView> {
  if (!Object.hasOwn(flow.steps, step)) {
    throw new NotFoundError(`The flow ${flow.id} has no step '${step.slice(0, 80)}'.`, 'step');
  }
  const places = stepJobs(store, flow, step);
  const statuses = await jobStatuses(store, places);
  const counts = new Map<JobStatus | null, number>();
  for (const status of statuses) counts.set(status, (counts.get(status) ?? 0) + 1);
  const listed = places
    .map((place, index) => ({ ...place, index, status: statuses[index] ?? null }))
    .sort((a, b) => Number(hasFailed(b.status)) - Number(hasFailed(a.status)))
    .slice(0, STEP_JOBS_SHOWN);
  const errors = await jobErrors(store, listed);
  return {
    flow: { id: flow.id, name: flow.definition.name, status: flow.status },
    step,
    state: flow.steps[step] as StepState,
    counts,
    jobs: listed.map(({ id, index, status }, place) => ({ id, index, status, error: errors[place] ?? null })),
  };
}

function hasFailed(status: JobStatus | null): boolean {
  return status === null || (isTerminal(status) && status !== 'completed');
}
