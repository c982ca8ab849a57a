/**
 * What every fault run promises, checked in one place: what was accepted has ended, once, and every call that was paid
 * twice is marked on its job. And it is made sure that the fault happened: a test of a fault that stayed away is none.
 */
import { expect } from 'vitest';
import { eventually } from './eventually.ts';
import type { FaultStack } from './fault-stack.ts';
import { call, type Reply, submitLines } from './http.ts';
import type { JobView } from './stack.ts';

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

export interface QueueJobs {
  waiting: number;
  delayed: number;
  active: number;
  completed: number;
  failed: number;
  cancelled: number;
  incomplete: number;
}

export async function queueJobs({ api }: FaultStack): Promise<QueueJobs> {
  const { status, body, text } = await call<{ data: { jobs: QueueJobs }[] }>('GET', `${api.url}/v1/queues`);
  const jobs = body?.data?.[0]?.jobs;
  if (jobs === undefined) throw new Error(`no counts: ${status} ${text}`);
  return jobs;
}

/** All stored jobs. */
export async function storedJobs({ api }: FaultStack): Promise<JobView[]> {
  const jobs: JobView[] = [];
  for (let after = ''; ; ) {
    const { body } = await call<{ data: JobView[]; last_id: string; has_more: boolean }>(
      'GET',
      `${api.url}/v1/jobs?limit=100${after}`,
    );
    jobs.push(...body.data);
    if (!body.has_more) return jobs;
    after = `&after=${body.last_id}`;
  }
}

/** What a run came to. The lists hold ids. */
export interface Findings {
  accepted: number;
  /** Records there are: the accepted jobs, and those whose acknowledgement did not arrive. */
  stored: number;
  outcomes: Record<string, number>;
  /** Accepted, and no longer there. */
  lost: string[];
  /** There, and without an outcome. */
  unfinished: string[];
  /** With more than one attempt that was read as the answer. */
  answeredTwice: string[];
  /** Outcomes that the scripts have counted, ever: more than there are jobs means that one ended twice. */
  counted: number;
  /** Calls in the upstream's ledger. */
  billed: number;
  /** Attempts marked as possibly billed. */
  marked: number;
  /** With more calls in the ledger that gave no answer than attempts marked. */
  unmarked: string[];
}

const ENDED = new Set(['completed', 'failed', 'cancelled', 'incomplete']);

/** Reads all that is needed to judge a run; judges nothing. */
export async function inspectRun(run: FaultRun): Promise<Findings> {
  const jobs = await storedJobs(run.stack);
  const stored = new Set(jobs.map(({ id }) => id));
  const ledger = run.stack.simulator.ledger();
  const calls = new Map<string, number>();
  for (const { key } of ledger) calls.set(key, (calls.get(key) ?? 0) + 1);
  const outcomes: Record<string, number> = {};
  for (const { status } of jobs) outcomes[status] = (outcomes[status] ?? 0) + 1;
  const ids = (which: (job: JobView) => boolean): string[] => jobs.filter(which).map(({ id }) => id);
  return {
    accepted: run.accepted.size,
    stored: jobs.length,
    outcomes,
    lost: [...run.accepted.keys()].filter((id) => !stored.has(id)),
    unfinished: ids(({ status }) => !ENDED.has(status)),
    answeredTwice: ids((job) => answers(job) > 1),
    counted: await countedOutcomes(run.stack),
    billed: ledger.length,
    marked: jobs.reduce((sum, job) => sum + marks(job), 0),
    unmarked: ids((job) => (calls.get(job.metadata?.key ?? '') ?? 0) > answers(job) + marks(job)),
  };
}

const answers = ({ attempts }: JobView): number =>
  attempts.filter(({ outcome }) => outcome === 'completed' || outcome === 'incomplete').length;
const marks = ({ attempts }: JobView): number => attempts.filter((attempt) => attempt.possibly_billed).length;

async function countedOutcomes({ api }: FaultStack): Promise<number> {
  const { text } = await call('GET', `${api.url}/metrics`);
  const lines = text.matchAll(/^millrace_jobs_finished_total\{[^}]*\} (\d+)/gm);
  return [...lines].reduce((sum, [, value]) => sum + Number(value), 0);
}

export interface Expected {
  /** How often each fault happened, by a counter that it moved: none may be 0. */
  faults: Record<string, number>;
  /**
   * Calls that may have been paid in vain: those under way at the kills, those that the fault cut. The bill may exceed
   * the jobs by no more.
   */
  cutCalls: number;
  /** Default: every job. */
  completed?: number;
}

/** Asserts what every run promises, and says in the test's output what it came to. All jobs must have ended. */
export async function checkRun(run: FaultRun, name: string, expected: Expected): Promise<Findings> {
  const findings = await inspectRun(run);
  tell(name, findings, expected.faults);
  expect(findings).toMatchObject({ lost: [], unfinished: [], answeredTwice: [], unmarked: [] });
  expect(findings.counted).toBe(findings.stored);
  expect(findings.billed).toBeLessThanOrEqual(findings.stored + expected.cutCalls);
  expect(findings.outcomes['completed']).toBe(expected.completed ?? findings.stored);
  for (const [fault, count] of Object.entries(expected.faults)) expect(count, fault).toBeGreaterThanOrEqual(1);
  return findings;
}

/** One line of figures: the lists by their length. */
export function tell(name: string, findings: Findings, more: Record<string, unknown>): void {
  const figures = Object.entries({ ...findings, ...more }).map(([what, value]) => {
    if (Array.isArray(value)) return `${what} ${value.length}`;
    if (typeof value === 'number') return `${what} ${Math.round(value)}`;
    return `${what} ${JSON.stringify(value)}`;
  });
  process.stdout.write(`${name}: ${figures.join(' · ')}\n`);
}
