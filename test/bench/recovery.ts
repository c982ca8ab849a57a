/**
 * What a killed worker costs. The same jobs, the same upstream and the same kill -9 of one of three worker processes
 * every few seconds, against Millrace with background calls, Millrace with direct calls, and the worker that a tutorial
 * would show; all at their default locks. Each on a Redis of its own with the same settings, one after the other.
 */
import { elapsed } from '../harness/elapse.ts';
import { print, round } from './figures.ts';
import { startMillrace } from './millrace-subject.ts';
import { RECOVERY_DEFINITION, recoveryFigures } from './recovery-figures.ts';
import type { RecoverySubject, RecoveryTerms } from './recovery-subject.ts';
import { startTutorial } from './tutorial-subject.ts';
import { logRetrieves } from './upstream-requests.ts';

const WORKERS = 3;
const CONCURRENCY = 10;
/** 30 slots of 3 s on average: the jobs outlast the kills. */
const JOBS = 300;
const CALL_MS: [number, number] = [2000, 4000];
const KILLS = 4;
/** Longer than any call, so that no call meets two kills and each wait has one beginning. */
const KILL_EVERY_MS = 5000;
/** From the last acceptance to the last outcome; what has none by then is printed as unfinished. */
const BOUND_MS = 65_000;
/** BullMQ's orphans wait for a lock of 30 s and up to two checks 30 s apart. */
const TUTORIAL_BOUND_MS = 95_000;
const LOOK_EVERY_MS = 100;

interface Contender {
  system: string;
  start(terms: RecoveryTerms): Promise<RecoverySubject>;
  boundMs: number;
}

const CONTENDERS: Contender[] = [
  {
    system: 'millrace, background on (re-attach)',
    start: (terms) => startMillrace(terms, 'on'),
    boundMs: BOUND_MS,
  },
  { system: 'millrace, direct', start: (terms) => startMillrace(terms, 'off'), boundMs: BOUND_MS },
  { system: 'tutorial: BullMQ Worker + openai SDK', start: startTutorial, boundMs: TUTORIAL_BOUND_MS },
];

/** Prints a line of figures for each contender. Takes some three minutes, four at most. */
export async function recovery(): Promise<void> {
  print({
    bench: 'recovery',
    what: 'kill -9 of a worker process, replaced at once',
    workers: WORKERS,
    concurrency: CONCURRENCY,
    call_ms: CALL_MS,
    kill_every_ms: KILL_EVERY_MS,
    recovery_seconds: RECOVERY_DEFINITION,
  });
  for (const contender of CONTENDERS) await killWorkersOf(contender);
}

async function killWorkersOf({ system, start, boundMs }: Contender): Promise<void> {
  const retrieves = logRetrieves();
  try {
    const subject = await start({ concurrency: CONCURRENCY, callMs: CALL_MS, model: 'bench' });
    try {
      const workers = await Promise.all(Array.from({ length: WORKERS }, () => subject.startWorker()));
      await subject.submit(Array.from({ length: JOBS }, (_, number) => `prompt ${number}`));
      const began = performance.now();
      const killedAt: number[] = [];
      for (let kill = 0; kill < KILLS; kill++) {
        await elapsed((kill + 1) * KILL_EVERY_MS, began);
        const slot = kill % WORKERS;
        killedAt.push(Date.now());
        await workers[slot]?.kill();
        workers[slot] = await subject.startWorker();
      }
      let unfinished = await subject.left();
      while (unfinished > 0 && performance.now() - began < boundMs) {
        await elapsed(LOOK_EVERY_MS);
        unfinished = await subject.left();
      }
      const totalSeconds = (performance.now() - began) / 1000;
      const [ledger, jobs] = [subject.simulator.ledger(), await subject.jobs()];
      const figures = recoveryFigures({ jobs, unfinished, ledger, requests: retrieves.requests(ledger), killedAt });
      print({ bench: 'recovery', system, ...figures, total_seconds: round(totalSeconds, 1) });
    } finally {
      await subject.stop();
    }
  } finally {
    retrieves.close();
  }
}
