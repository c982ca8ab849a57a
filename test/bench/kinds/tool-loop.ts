/** kill -9 in the middle of tool loops: how many of the turns that were finished by then are paid for again. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LedgerEntry, type Simulator, startSimulator } from '@millrace/simulator';
import { eventually } from '../../harness/eventually.ts';
import { submitLines } from '../../harness/http.ts';
import { finished, startStack } from '../../harness/stack.ts';
import { print } from '../figures.ts';
import { startNodeProcess } from '../node-process.ts';
import { keyOf, promptOf, TURNS } from './looped-jobs.ts';

const JOBS = 20;
/** The calls of one job: a turn each, and the answer. */
const CALLS = TURNS + 1;
/** Drawn, so that the kill finds the loops in different turns, in calls and in tools. */
const CALL_MS: [number, number] = [100, 400];
/** Half-way. */
const KILL_AFTER_CALLS = (JOBS * CALLS) / 2;
const BOUND_MS = 120_000;
const MODEL = 'bench';
const NAIVE = join(import.meta.dirname, 'naive-tool-loop.ts');

export async function toolLoop(): Promise<void> {
  const [ours, naive] = [repeatedTurns(await oursKilled()), repeatedTurns(await naiveKilled())];
  print({
    bench: 'kinds',
    what: `kill -9 half-way through ${JOBS} tool loops of ${TURNS} turns: finished turns that are made again`,
    ...{ repeated_turns: ours.repeated, repeated_turns_naive: naive.repeated, goal: 0 },
    ...{ finished_at_kill: ours.finished, finished_at_kill_naive: naive.finished },
    ...{ calls: ours.calls, calls_naive: naive.calls, calls_least: JOBS * CALLS },
  });
}

export interface Killed {
  ledger: readonly Pick<LedgerEntry, 'key' | 'at'>[];
  /** Milliseconds since the epoch. */
  killedAt: number;
  /** Turns that were finished by then, by the loop's key: answered, and their tools begun. */
  finished: ReadonlyMap<string, number>;
}

/** What was called after the kill, beyond what each loop still lacked. */
export function repeatedTurns({
  ledger,
  killedAt,
  finished,
}: Killed): Record<'calls' | 'finished' | 'repeated', number> {
  let repeated = 0;
  for (const [key, turns] of finished) {
    const after = ledger.filter((entry) => entry.key === key && entry.at > killedAt).length;
    repeated += Math.max(0, after - (CALLS - turns));
  }
  return { calls: ledger.length, finished: [...finished.values()].reduce((sum, turns) => sum + turns, 0), repeated };
}

/** How often each loop is named in a file that tools write a line to as they begin. */
function countLines(file: string, nameOf: (line: string) => string | undefined): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
    const name = nameOf(line);
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

const halfWay = (simulator: Simulator) =>
  eventually('half of the calls are made', () => simulator.ledger().length >= KILL_AFTER_CALLS, BOUND_MS);

async function oursKilled(): Promise<Killed> {
  const stack = await startStack({
    tools: true,
    simulator: { latencyMs: CALL_MS },
    // Its jobs are taken over within seconds of the kill; the bill is the same.
    config: { queues: { generate: { model: MODEL } }, worker: { lockSeconds: 5 } },
  });
  try {
    const tools = [{ type: 'function', name: 'slow_step' }];
    const replies = await submitLines(
      stack.api.url,
      Array.from({ length: JOBS }, (_, job) => ({
        type: 'generate',
        request: { input: promptOf(job), tools, metadata: { key: keyOf(job) } },
      })),
    );
    await halfWay(stack.simulator);
    const killedAt = Date.now();
    await stack.workers.splice(0)[0]?.kill();
    const jobs = new Map(replies.map(({ id }, job) => [id, keyOf(job)]));
    const finishedTurns = countLines(join(stack.folder, 'tools.log'), (line) => jobs.get(/resp_\w+/.exec(line)?.[0]));
    await stack.addWorker();
    for (const { id } of replies) {
      const { status } = await finished(stack, id as string, BOUND_MS);
      if (status !== 'completed') throw new Error(`a loop ended as ${status}`);
    }
    return { ledger: stack.simulator.ledger(), killedAt, finished: finishedTurns };
  } finally {
    await stack.stop();
  }
}

async function naiveKilled(): Promise<Killed> {
  const simulator = await startSimulator({ port: 0, latencyMs: CALL_MS });
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  const done = join(folder, 'done');
  const steps = join(folder, 'steps');
  const env = { BASE_URL: simulator.url, DONE: done, STEPS: steps, JOBS: String(JOBS), MODEL };
  try {
    const first = await startNodeProcess(NAIVE, env);
    await halfWay(simulator);
    const killedAt = Date.now();
    await first.kill();
    const finishedTurns = countLines(steps, (line) => line);
    const second = await startNodeProcess(NAIVE, env);
    const ended = () => existsSync(done) && readFileSync(done, 'utf8').trim().split('\n').length === JOBS;
    await eventually('every loop has ended', ended, BOUND_MS);
    await second.kill();
    return { ledger: simulator.ledger(), killedAt, finished: finishedTurns };
  } finally {
    await simulator.close();
    await rm(folder, { recursive: true, force: true });
  }
}
