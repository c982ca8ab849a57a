/** What a fault run came to, read from the API, the metrics and the upstream's ledger. */
import { eventually } from './eventually.ts';
import type { FaultRun } from './fault-run.ts';
import { type FaultStack, IN_BACKGROUND } from './fault-stack.ts';
import { call } from './http.ts';
import type { JobView } from './stack.ts';
import { storedJobs } from './stored-jobs.ts';

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
  /** Those marks as the metrics have them. */
  markedInMetrics: number;
  /** With more calls in the ledger that gave no answer than attempts marked. */
  unmarked: string[];
  /** Answered with a response that was made for another. */
  strangers: string[];
  /** The part of the jobs whose calls ran in the background: what of them is billed beyond the jobs is marked. */
  background: { jobs: number; billed: number; marked: number };
}

const ENDED = new Set(['completed', 'failed', 'cancelled', 'incomplete']);

/** Reads all that is needed to judge a run, once nothing more can come onto the bill; judges nothing. */
export async function inspectRun(run: FaultRun): Promise<Findings> {
  await eventually('no call is under way upstream any more', () => run.stack.simulator.stats().inFlight === 0);
  const jobs = await storedJobs(run.stack);
  const stored = new Set(jobs.map(({ id }) => id));
  const ledger = run.stack.simulator.ledger();
  const calls = new Map<string, number>();
  const madeFor = new Map<string, string>();
  for (const { key, id } of ledger) {
    calls.set(key, (calls.get(key) ?? 0) + 1);
    madeFor.set(id, key);
  }
  const keyOf = ({ metadata }: JobView): string => metadata?.key ?? '';
  const callsOf = (job: JobView): number => calls.get(keyOf(job)) ?? 0;
  const total = (of: JobView[], count: (job: JobView) => number): number =>
    of.reduce((sum, job) => sum + count(job), 0);
  const outcomes: Record<string, number> = {};
  for (const { status } of jobs) outcomes[status] = (outcomes[status] ?? 0) + 1;
  const inBackground = jobs.filter(({ queue }) => queue === IN_BACKGROUND.queue);
  const ids = (which: (job: JobView) => boolean): string[] => jobs.filter(which).map(({ id }) => id);
  return {
    accepted: run.accepted.size,
    stored: jobs.length,
    outcomes,
    lost: [...run.accepted.keys()].filter((id) => !stored.has(id)),
    unfinished: ids(({ status }) => !ENDED.has(status)),
    answeredTwice: ids((job) => answers(job) > 1),
    counted: await counter(run.stack, 'millrace_jobs_finished_total'),
    billed: ledger.length,
    marked: total(jobs, marks),
    markedInMetrics: await counter(run.stack, 'millrace_possibly_billed_total'),
    unmarked: ids((job) => callsOf(job) > answers(job) + marks(job)),
    strangers: ids((job) =>
      job.attempts.some(
        ({ outcome, upstream_id }) => isAnswer(outcome) && madeFor.get(upstream_id ?? '') !== keyOf(job),
      ),
    ),
    background: {
      jobs: inBackground.length,
      billed: total(inBackground, callsOf),
      marked: total(inBackground, marks),
    },
  };
}

const isAnswer = (outcome: string | null): boolean => outcome === 'completed' || outcome === 'incomplete';
const answers = ({ attempts }: JobView): number => attempts.filter(({ outcome }) => isAnswer(outcome)).length;
const marks = ({ attempts }: JobView): number => attempts.filter((attempt) => attempt.possibly_billed).length;

/** A counter of the metrics over all its labels. */
async function counter({ api }: FaultStack, name: string): Promise<number> {
  const { text } = await call('GET', `${api.url}/metrics`);
  const lines = text.matchAll(/^(\w+)\{[^}]*\} (\d+)/gm);
  return [...lines].reduce((sum, [, found, value]) => (found === name ? sum + Number(value) : sum), 0);
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
