/**
 * One fault of the upstream, met by the first call of some jobs while others beside them go well: those are not held
 * up, these are called again, and what was paid for nothing is marked.
 */
import type { FaultKind } from '@millrace/simulator';
import { expect } from 'vitest';
import { eventually } from './eventually.ts';
import { allEnded, checkRun, faultRun, queueJobs, storedJobs, submitAll } from './fault-run.ts';
import type { FaultStack } from './fault-stack.ts';

export interface UpstreamFault {
  kind: FaultKind;
  /** What the attempt that met it is recorded as. */
  reason: string;
  /** Jobs that meet it. */
  jobs: number;
  /** False where the upstream does no work before the fault. */
  billed: boolean;
}

const BYSTANDERS = 100;
const ENDED_WITHIN_MS = 60_000;

/** Runs it on a stack of one worker and asserts all of the above. */
export async function meetUpstreamFaults(stack: FaultStack, name: string, faults: UpstreamFault[]): Promise<void> {
  const run = faultRun(stack);
  const met = new Map<string, UpstreamFault>();
  for (const fault of faults) {
    for (const id of await submitAll(run, fault.jobs, `[[fault:${fault.kind} x1]]`)) met.set(id, fault);
  }
  await submitAll(run, BYSTANDERS);
  await eventually('the bystanders have their answers', async () => (await queueJobs(stack)).completed >= BYSTANDERS);
  await allEnded(run, ENDED_WITHIN_MS);

  for (const job of await storedJobs(stack)) {
    const fault = met.get(job.id);
    const attempts = job.attempts.map(({ outcome, reason, possibly_billed }) => [outcome, reason, possibly_billed]);
    const cut = fault === undefined ? [] : [['retry', fault.reason, true]];
    expect(attempts).toEqual([...cut, ['completed', null, false]]);
  }
  const seen = stack.simulator.stats().faults;
  const findings = await checkRun(run, name, {
    faults: Object.fromEntries(faults.map(({ kind }) => [kind, seen[kind]])),
    cutCalls: met.size,
  });
  const paidInVain = faults.reduce((sum, { billed, jobs }) => sum + (billed ? jobs : 0), 0);
  expect(findings.billed).toBe(findings.stored + paidInVain);
  expect(findings.marked).toBe(met.size);
  for (const worker of stack.workers) expect(worker.child.exitCode).toBeNull();
}
