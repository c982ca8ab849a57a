/** A real Redis, a store on it, and runners that a test starts and never has to end itself. */
import type { Job, QueueConfig } from '@millrace/core';
import { readJob, type Store, type StoreQueue } from '@millrace/queue';
import { openTestStore, silentLog } from '../../../../packages/queue/src/testing/store.ts';
import { queueOf } from '../../../../packages/queue/src/testing/stored.ts';
import { eventually } from '../../../../test/harness/eventually.ts';
import { freshRedis, type TestRedis } from '../../../../test/harness/redis.ts';
import { type Admission, openAdmission } from '../admission.ts';
import type { Isolation } from '../isolation.ts';
import { openLimits } from '../limits.ts';
import { openRouting } from '../routing.ts';
import type { AttemptRun } from '../run-attempt.ts';
import { type Runner, startRunner } from '../runner.ts';
import { runTool } from '../turns/run-tool.ts';

export interface RunnerTerms {
  run: AttemptRun;
  settings?: Partial<QueueConfig>;
  lockMs?: number;
  restartAfterMs?: number;
  worker?: string;
  store?: Store;
  /** Where suspects run; here, like all others, unless told. */
  isolation?: Isolation;
}

export interface Workshop {
  redis: TestRedis;
  store: Store;
  queue: StoreQueue;
  start(terms: RunnerTerms): Runner;
  /** The job as its record has it. */
  job(id: string): Promise<Job>;
  /** The job once its record fulfils the condition. */
  jobOnce(id: string, what: string, condition: (job: Job) => boolean): Promise<Job>;
  /** BullMQ's state of its entry. */
  entry(id: string): Promise<string>;
  /** Ends the runners and forgets all jobs. */
  tidy(): Promise<void>;
  close(): Promise<void>;
}

export async function openWorkshop(): Promise<Workshop> {
  const redis = await freshRedis();
  const store = await openTestStore(redis.url);
  const queue = queueOf(store);
  let runners: Runner[] = [];
  const admissions: Admission[] = [];
  const job = async (id: string): Promise<Job> => {
    const found = await readJob(store, id);
    if (found === null) throw new Error(`there is no job ${id}`);
    return found.job;
  };
  return {
    redis,
    store,
    queue,
    start: ({
      run,
      settings,
      lockMs = 30_000,
      restartAfterMs = 30_000,
      worker = 'w',
      store: own = store,
      isolation,
    }) => {
      const configured = own.config.queues[queue.name];
      if (configured === undefined) throw new Error('the test configuration has lost its queue');
      const admission = openAdmission(own, openLimits(own, worker, silentLog), silentLog);
      admissions.push(admission);
      const runner: Runner = startRunner({
        ...{ store: own, queue: queueOf(own), settings: { ...configured, ...settings } },
        ...{ lockMs, worker, run, abandon: async () => undefined, log: silentLog, restartAfterMs },
        admission,
        routing: openRouting(own.config, silentLog),
        shadows: { offer: () => undefined, close: async () => undefined },
        isolation: isolation ?? { enter: async () => () => undefined, run, tool: runTool, close: () => undefined },
      });
      runners.push(runner);
      return runner;
    },
    job,
    jobOnce: (id, what, condition) =>
      eventually(what, async () => {
        const found = await job(id);
        return condition(found) && found;
      }),
    entry: (id) => queue.bull.getJobState(id),
    tidy: async () => {
      await Promise.all(runners.map((runner) => runner.drain(0)));
      runners = [];
      for (const admission of admissions.splice(0)) admission.close();
      await store.redis.flushall();
    },
    close: async () => {
      for (const admission of admissions) admission.close();
      await store.close();
      await redis.dispose();
    },
  };
}
