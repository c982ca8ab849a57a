/**
 * The demo on real documents: every installed package's README goes through an extraction, as any producer's
 * documents would. Interrupted, it goes on where it was; nothing is submitted twice.
 */
import { join } from 'node:path';
import type { ApiClient, ApiJob } from '../api-client.ts';
import type { Screen } from '../screen.ts';
import { collectReadmes, type Readme } from './collect-readmes.ts';
import { DEMO_QUEUE, estimateTokens } from './extraction.ts';
import { followJobs } from './follow-jobs.ts';
import { type Counts, count, duration, openProgress } from './progress.ts';
import { type ResultLine, readResults, resultLine, writeResults } from './results-file.ts';
import { asOneLine, resultsTable, rowsLeftOut } from './results-table.ts';
import { newRun, type RunDocument, type RunState, readRun, writeRun } from './run-state.ts';
import { submitDocuments } from './submit-documents.ts';

/** Reasons are told with one example each; a dozen kinds of failure are as good as all. */
const SHOWN_REASONS = 12;

export interface DemoOptions {
  /** Below it, node_modules/.pnpm holds the packages. */
  root: string;
  /** Where the run and its results are kept. */
  folder: string;
  /** The same, as people read it. */
  shownFolder: string;
  api: ApiClient;
  screen: Screen;
  stream: NodeJS.WriteStream;
  signal: AbortSignal;
  /** Where the answers come from. */
  origin: { simulated: boolean; upstream: string };
}

export interface DemoOutcome {
  /** Every job was answered. */
  ok: boolean;
  /** One that can be looked at. */
  exampleJob: string | null;
}

/** Runs or resumes the demo and shows its results. @throws the reason of `signal` when that ended it. */
export async function runDemo(options: DemoOptions): Promise<DemoOutcome> {
  const { screen, folder, api, signal, origin } = options;
  const runFile = join(folder, 'run.json');
  const resultsFile = join(folder, 'results.jsonl');
  const readmes = await collectReadmes(options.root);
  const last = await readRun(runFile);

  if (last?.finished_at && !origin.simulated && last.upstream === origin.upstream) {
    const kept = await readResults(resultsFile);
    if (kept !== null) {
      screen.line(`\n  the demo has run on ${last.upstream} already (${last.finished_at}); it is not paid for twice.`);
      screen.line(`  Remove ${options.shownFolder} to run it again.`);
      return showResults(kept, null, options);
    }
  }
  const resumed = last !== null && last.finished_at === null;
  const state = resumed ? last : newRun(readmes, origin);
  if (state.documents.length === 0) {
    screen.line('\n  no README was found below node_modules: there is nothing to show the demo on');
    return { ok: false, exampleJob: null };
  }
  const save = () => writeRun(runFile, state);
  await save();
  const ended = resumed ? await lookBack(state, options) : new Map<string, ApiJob>();
  announce(state, readmes, resumed ? ended : null, options);

  const startedAt = Date.now();
  try {
    await submitDocuments(state, readmes, api, save, signal);
    await follow(state, ended, options);
  } catch (error) {
    if (signal.aborted) screen.line(`\n  the demo is interrupted: the next start goes on with it`);
    throw error;
  }

  const lines = state.documents.map((document) => resultLine(document, jobOf(document, ended)));
  await writeResults(resultsFile, lines);
  state.finished_at = new Date().toISOString();
  await save();
  return showResults(lines, (Date.now() - startedAt) / 1000, options);
}

/** What of an interrupted run has been submitted, and what of that has ended; a job that is gone is forgotten. */
async function lookBack(state: RunState, { api, signal }: DemoOptions): Promise<Map<string, ApiJob>> {
  const ended = new Map<string, ApiJob>();
  for (const document of state.documents) {
    signal.throwIfAborted();
    if (document.job_id === null) continue;
    const job = await api.readJob(document.job_id);
    if (job === undefined) document.job_id = null;
    else if (job.status !== 'queued' && job.status !== 'in_progress') ended.set(job.id, job);
  }
  return ended;
}

function announce(
  state: RunState,
  readmes: readonly Readme[],
  ended: ReadonlyMap<string, ApiJob> | null,
  { screen, origin }: DemoOptions,
): void {
  const total = state.documents.length;
  screen.line();
  if (ended !== null) {
    const left = total - ended.size;
    const jobs = left === 0 ? 'every job has ended since' : `${left} of ${total} left`;
    screen.line(`  resuming the demo: ${jobs}`);
    if (state.upstream !== origin.upstream) {
      screen.line(`  it was begun on ${state.upstream}: what was answered then came from there`);
    }
    return;
  }
  const tokens = estimateTokens(readmes);
  screen.line(`  demo: what ${total} installed packages are for, read out of their READMEs (queue '${DEMO_QUEUE}')`);
  screen.line(
    origin.simulated
      ? `  the answers are simulated: picked from the documents' own words, by no model; about ${count(tokens)} tokens in`
      : `  it sends about ${count(tokens)} tokens in ${total} calls to ${origin.upstream}; Ctrl-C stops it, --no-demo leaves it out`,
  );
}

async function follow(state: RunState, ended: Map<string, ApiJob>, options: DemoOptions): Promise<void> {
  const refused = state.documents.filter((document) => document.job_id === null).length;
  const counts: Counts = { done: 0, failed: refused, tokens: 0 };
  const add = (job: ApiJob | undefined) => {
    if (job?.status === 'completed') counts.done++;
    else counts.failed++;
    counts.tokens += job?.usage?.total_tokens ?? 0;
  };
  for (const job of ended.values()) add(job);
  const open = state.documents.flatMap(({ job_id }) => (job_id === null || ended.has(job_id) ? [] : [job_id]));
  const progress = openProgress(state.documents.length, { ...counts }, options.screen, options.stream);
  try {
    await followJobs(open, options.api, options.signal, (id, job) => {
      if (job !== undefined) ended.set(id, job);
      add(job);
      progress.update({ ...counts });
    });
  } finally {
    progress.close();
  }
}

function jobOf(document: RunDocument, ended: ReadonlyMap<string, ApiJob>): ApiJob | undefined {
  return document.job_id === null ? undefined : ended.get(document.job_id);
}

function showResults(lines: readonly ResultLine[], seconds: number | null, options: DemoOptions): DemoOutcome {
  const { screen, shownFolder } = options;
  const table = resultsTable(lines, screen.width(), (text) => screen.style('bold', text));
  const file = join(shownFolder, 'results.jsonl');
  if (table !== '') screen.line(`\n${table}`);
  const leftOut = rowsLeftOut(lines);
  screen.line(leftOut > 0 ? `  … and ${leftOut} more in ${file}` : `  all of it in ${file}`);

  const bad = lines.filter((line) => line.status !== 'completed');
  const tokens = lines.reduce((sum, line) => sum + (line.usage?.total_tokens ?? 0), 0);
  const totals = [`${count(lines.length)} jobs`, `${bad.length} failed`, `${count(tokens)} tokens`];
  if (seconds !== null) totals.push(duration(seconds));
  screen.line(`\n  ${screen.style(bad.length === 0 ? 'green' : 'red', totals.join(' · '))}`);
  for (const reason of reasonsOf(bad)) screen.line(`    ${reason}`);
  return { ok: bad.length === 0, exampleJob: lines.find((line) => line.job_id !== null)?.job_id ?? null };
}

/** Each kind of failure once, the most frequent first: how often, its code, and the first one's message. */
export function reasonsOf(bad: readonly ResultLine[]): string[] {
  const kinds = new Map<string, { times: number; message: string; first: string }>();
  for (const line of bad) {
    const code = line.error?.code ?? line.status;
    const kind = kinds.get(code) ?? { times: 0, message: asOneLine(line.error?.message ?? ''), first: line.package };
    kinds.set(code, { ...kind, times: kind.times + 1 });
  }
  return [...kinds]
    .sort(([, a], [, b]) => b.times - a.times)
    .slice(0, SHOWN_REASONS)
    .map(([code, { times, message, first }]) => `${times} × ${code}${message && `: ${message}`} (first: ${first})`);
}
