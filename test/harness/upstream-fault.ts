/** Faults of the upstream, each met by the first call of some jobs while others beside them go well and are not held up. */
import type { FaultKind } from '@millrace/simulator';
import { expect } from 'vitest';
import { eventually } from './eventually.ts';
import { allEnded, checkRun, faultRun, submitAll } from './fault-run.ts';
import type { FaultStack } from './fault-stack.ts';
import type { Findings } from './findings.ts';
import { coursesBy, queueJobs, storedJobs } from './stored-jobs.ts';

export interface MetFaults {
  findings: Findings;
  /** The different courses that the jobs of each fault took; `none`: those of the jobs beside. */
  courses: Record<string, string[]>;
}

const BYSTANDERS = 100;
const ENDED_WITHIN_MS = 60_000;

/**
 * Runs so many jobs of each fault, and the jobs beside them, on a stack that is fresh; asserts what every run promises,
 * and that no worker was harmed.
 * @param rest of each job
 */
export async function meetUpstreamFaults(
  stack: FaultStack,
  name: string,
  jobsByFault: Partial<Record<FaultKind, number>>,
  rest = {},
): Promise<MetFaults> {
  const run = faultRun(stack);
  const groups: Record<string, string[]> = {};
  for (const [kind, jobs] of Object.entries(jobsByFault)) {
    groups[kind] = await submitAll(run, jobs, `[[fault:${kind} x1]]`, rest);
  }
  groups['none'] = await submitAll(run, BYSTANDERS, '', rest);
  await eventually('the bystanders have their answers', async () => (await queueJobs(stack)).completed >= BYSTANDERS);
  await allEnded(run, ENDED_WITHIN_MS);

  const faults: Record<string, number> = {};
  for (const kind of Object.keys(jobsByFault) as FaultKind[]) faults[kind] = stack.simulator.stats().faults[kind];
  const findings = await checkRun(run, name, { faults, cutCalls: run.accepted.size - BYSTANDERS });
  for (const worker of stack.workers) expect(worker.child.exitCode).toBeNull();
  return { findings, courses: coursesBy(groups, await storedJobs(stack)) };
}
