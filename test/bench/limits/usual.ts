/** The usual ways, for comparison: the SDK loop, and the tutorial's BullMQ worker with a limiter and backoff. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Queue } from 'bullmq';
import { eventually } from '../../harness/eventually.ts';
import { roleEnvironment } from '../../harness/processes.ts';
import { freshRedis } from '../../harness/redis.ts';
import { type NodeProcess, startNodeProcess } from '../node-process.ts';
import { chargesOf } from './charges.ts';
import { type LimitedUpstream, MODEL, startLimitedUpstream } from './limited-upstream.ts';
import type { MixedRun } from './mixed-run.ts';
import { mixedJobs, requestOf } from './workload.ts';

const LOOP = join(import.meta.dirname, 'usual-loop.ts');
const WORKER = join(import.meta.dirname, 'usual-worker.ts');
const WORKERS = 3;
/** As often as the loop's SDK tries. */
const ATTEMPTS = 9;
const BACKOFF = { type: 'exponential', delay: 1000 };
const RUN_BOUND_MS = 300_000;

/** 50 in flight, 8 retries by the SDK. */
export function sdkLoop(): Promise<MixedRun> {
  return judged(async (upstream) => {
    const { stdout } = await promisify(execFile)(process.execPath, [LOOP, upstream.url, MODEL], {
      timeout: RUN_BOUND_MS,
      env: roleEnvironment({}),
    });
    return JSON.parse(stdout) as Told;
  });
}

/** Three processes, 50 jobs a second among them by BullMQ's limiter. */
export function tutorialWorkers(): Promise<MixedRun> {
  return judged(async (upstream) => {
    const redis = await freshRedis();
    const queue = new Queue('generate', { connection: { host: '127.0.0.1', port: redis.port } });
    const workers: NodeProcess[] = [];
    try {
      const env = { REDIS_URL: redis.url, OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: 'bench' };
      workers.push(...(await Promise.all(Array.from({ length: WORKERS }, () => startNodeProcess(WORKER, env)))));
      await queue.pause();
      const opts = { attempts: ATTEMPTS, backoff: BACKOFF };
      const jobs = mixedJobs().map((job) => ({ name: 'generate', data: { model: MODEL, ...requestOf(job) }, opts }));
      await queue.addBulk(jobs);
      const beganAt = Date.now();
      const began = performance.now();
      await queue.resume();
      const ended = async () => {
        const { completed = 0, failed = 0 } = await queue.getJobCounts('completed', 'failed');
        return completed + failed === jobs.length && { completed, failed };
      };
      const counts = await eventually('all jobs have ended', ended, RUN_BOUND_MS);
      return { beganAt, seconds: (performance.now() - began) / 1000, ...counts };
    } finally {
      await Promise.all(workers.map((worker) => worker.kill()));
      await queue.close();
      await redis.dispose();
    }
  });
}

type Told = Pick<MixedRun, 'beganAt' | 'seconds' | 'completed' | 'failed'>;

/** On an upstream of its own, which is asked what it has charged and refused. */
async function judged(run: (upstream: LimitedUpstream) => Promise<Told>): Promise<MixedRun> {
  const upstream = await startLimitedUpstream();
  try {
    const told = await run(upstream);
    const [ledger, { limited }] = await Promise.all([upstream.ledger(), upstream.stats()]);
    return { ...told, charges: chargesOf(ledger, mixedJobs()), limited };
  } finally {
    await upstream.stop();
  }
}
