/**
 * What every fault run promises, checked in one place: what was accepted has ended, once, and every call that was paid
 * twice is marked on its job. And it is made sure that the fault happened: a test of a fault that stayed away is none.
 */
import { expect } from 'vitest';
import { eventually } from './eventually.ts';
import type { FaultStack } from './fault-stack.ts';
import { type Findings, inspectRun, tell } from './findings.ts';
import { call, type Reply, submitLines } from './http.ts';
import { queueJobs } from './stored-jobs.ts';

export interface FaultRun {
  stack: FaultStack;
  /** What was acknowledged: a job's id → the key of its calls in the simulator's ledger. */
  accepted: Map<string, string>;
  /** Makes keys unique. */
  submitted: number;
}

export function faultRun(stack: FaultStack): FaultRun {
  return { stack, accepted: new Map(), submitted: 0 };
}

/** A job with a key of its own; `words` steer the simulator, the rest goes into the job as it is. */
function newJob(run: FaultRun, words: string, rest: object): { key: string; job: object } {
  run.submitted += 1;
  const key = `job-${run.submitted}`;
  const request = { input: `${words} ${key}`, metadata: { key } };
  return { key, job: { type: 'generate', request, metadata: { key }, ...rest } };
}

/** Submits jobs of which every one must be accepted; answers their ids. */
export async function submitAll(run: FaultRun, count: number, words = '', rest = {}): Promise<string[]> {
  const jobs = Array.from({ length: count }, () => newJob(run, words, rest));
  const replies = await submitLines(
    run.stack.api.url,
    jobs.map(({ job }) => job),
  );
  return jobs.map(({ key }, index) => {
    const id = replies[index]?.id;
    if (id === undefined) throw new Error(`not accepted: ${JSON.stringify(replies[index])}`);
    run.accepted.set(id, key);
    return id;
  });
}

/** Submits one job in a request of its own; the reply, or null where none came. Only a 202 counts as accepted. */
export async function trySubmit(run: FaultRun, words = '', rest = {}): Promise<Reply | null> {
  const { key, job } = newJob(run, words, rest);
  try {
    const reply = await call<{ id: string }>('POST', `${run.stack.api.url}/v1/jobs`, job);
    if (reply.status === 202) run.accepted.set(reply.body.id, key);
    return reply;
  } catch {
    // No reply is what a caller may get in these tests; it has not been told that its job is accepted.
    return null;
  }
}

/** What one request of several jobs came to: how many were accepted, and the codes of the errors. */
export interface LinesReply {
  accepted: number;
  codes: string[];
}

/** Submits jobs in one request. Only a line with an id counts as accepted; null where no whole reply came. */
export async function trySubmitLines(run: FaultRun, count: number): Promise<LinesReply | null> {
  const jobs = Array.from({ length: count }, () => newJob(run, '', {}));
  try {
    const replies = await submitLines(
      run.stack.api.url,
      jobs.map(({ job }) => job),
    );
    const codes: string[] = [];
    for (const [index, { id, error }] of replies.entries()) {
      const key = jobs[index]?.key;
      if (id !== undefined && key !== undefined) run.accepted.set(id, key);
      else codes.push(error?.code ?? 'none');
    }
    return { accepted: replies.length - codes.length, codes };
  } catch {
    // As above.
    return null;
  }
}

/** Waits until the API takes jobs again. */
export async function apiReady({ api }: FaultStack): Promise<void> {
  await eventually('the API is ready', async () => (await call('GET', `${api.url}/readyz`)).status === 200);
}

/** Waits until no stored job is left without an outcome. */
export async function allEnded(run: FaultRun, ms: number): Promise<void> {
  let left: object = {};
  try {
    await eventually(
      'every job has its outcome',
      async () => {
        const { waiting, delayed, active } = await queueJobs(run.stack);
        left = { waiting, delayed, active };
        return waiting + delayed + active === 0;
      },
      ms,
    );
  } catch (error) {
    throw new Error(`within ${ms} ms not every job has ended: ${JSON.stringify(left)}`, { cause: error });
  }
}

export interface Expected {
  /** How often each fault happened, by a counter that it moved: none may be 0. */
  faults: Record<string, number>;
  /**
   * Direct calls that may have been paid in vain: those under way at the kills, those that the fault cut. Their bill may
   * exceed their jobs by no more; that of calls in the background by no more than is marked.
   */
  cutCalls: number;
  /** Default: every job. */
  completed?: number;
}

/** Asserts what every run promises, and says in the test's output what it came to. All jobs must have ended. */
export async function checkRun(run: FaultRun, name: string, expected: Expected): Promise<Findings> {
  const findings = await inspectRun(run);
  tell(name, findings, expected.faults);
  expect(findings).toMatchObject({ lost: [], unfinished: [], answeredTwice: [], unmarked: [], strangers: [] });
  expect(findings.counted).toBe(findings.stored);
  // A late answer may take the mark of its attempt back; a counter only rises.
  expect(findings.markedInMetrics).toBe(findings.marked);
  const { background } = findings;
  expect(background.billed).toBeLessThanOrEqual(background.jobs + background.marked);
  const direct = { jobs: findings.stored - background.jobs, billed: findings.billed - background.billed };
  expect(direct.billed).toBeLessThanOrEqual(direct.jobs + expected.cutCalls);
  expect(findings.outcomes['completed']).toBe(expected.completed ?? findings.stored);
  for (const [fault, count] of Object.entries(expected.faults)) expect(count, fault).toBeGreaterThanOrEqual(1);
  return findings;
}
