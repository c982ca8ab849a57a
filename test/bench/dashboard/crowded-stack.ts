/** A Redis with a million jobs in it, 200 more a second that run, and a dashboard that looks at them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog, loadConfig, type NewJob, readEnvironment } from '@millrace/core';
import { openStore, queueNamed, type Store, submit } from '@millrace/queue';
import type { FailuresView } from '../../../apps/dashboard/src/views/failures.ts';
import { end } from '../../harness/dashboard.ts';
import { eventually } from '../../harness/eventually.ts';
import { call } from '../../harness/http.ts';
import { type RoleProcess, startRole } from '../../harness/processes.ts';
import { freshRedis } from '../../harness/redis.ts';
import { print, round } from '../figures.ts';
import { cpuSeconds } from '../process-figures.ts';
import { startSimulatorProcess } from '../simulator-process.ts';
import { crowdBatchesAndFlows } from './crowd-batches-and-flows.ts';

/** How many are kept, of which so many wait. BENCH_JOBS makes it fewer, for trying the benchmark itself. */
const JOBS = Number(process.env.BENCH_JOBS ?? 1_000_000);
const WAITING_SHARE = 0.2;
const FAILED_SHARE = 0.1;
const PER_SECOND = 200;
const TICK_MS = 100;
/** Written by one call of the script. */
const PER_CALL = 500;
const INDEX_BOUND_MS = 1_800_000;

export interface CrowdedStack {
  store: Store;
  dashboard: RoleProcess;
  jobs: number;
  /** One of each kind of job, to look at. */
  completed: string;
  failed: string;
  batch: string;
  flow: string;
  /** The id of the cause that most failed of. */
  cause: string;
  /** No more jobs are submitted from now on; resolves once those that were have ended. */
  quiet(): Promise<void>;
  /** CPU that Redis has used, seconds. */
  redisCpu(): Promise<number>;
  stop(): Promise<void>;
}

/** Fills Redis, waits until the dashboard's index is made, and starts the traffic. */
export async function crowdedStack(): Promise<CrowdedStack> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-crowded-'));
  const config = join(folder, 'millrace.config.json');
  const simulator = await startSimulatorProcess({ latencyMs: 200 });
  // What fills it was not asked to be on disk; the traffic is.
  const redis = await freshRedis({ settings: { appendfsync: 'everysec' } });
  await writeFile(
    config,
    JSON.stringify({
      upstreams: { simulator: { baseURL: simulator.url, apiKey: 'sk-simulated', background: 'off' } },
      queues: { generate: { model: 'sim-1' }, archive: { model: 'sim-1', maxWaiting: 2_000_000 } },
      prices: { 'sim-1': { input: 1, output: 4 } },
    }),
  );
  const env = { REDIS_URL: redis.url, MILLRACE_CONFIG: config, MILLRACE_DATA: join(folder, 'data') };
  const log = createLog('bench', 'silent');
  const loaded = await loadConfig(readEnvironment(env));
  const store = await openStore({ redisUrl: redis.url, config: loaded, log, kind: 'patient' });
  const { completed, failed } = await fill(store);
  const worker = await startRole('worker', env);
  const { batch, flow } = await crowdBatchesAndFlows(env);
  const dashboard = await startRole('dashboard', env);
  await indexMade(dashboard);
  const { body: failures } = await call<FailuresView>('GET', `${dashboard.url}/api/failures`);
  const traffic = runTraffic(store);
  await eventually(
    'jobs run',
    async () => (await store.redis.zcard(queueNamed(store, 'generate').keys.status('completed'))) > 200,
  );
  return {
    store,
    dashboard,
    jobs: JOBS,
    completed,
    failed,
    batch,
    flow,
    cause: failures.cohorts[0]?.cause.id ?? '',
    quiet: async () => {
      await traffic.stop();
      const { keys } = queueNamed(store, 'generate');
      await eventually('the jobs have ended', async () => {
        const open = await Promise.all(
          [keys.status('queued'), keys.status('in_progress')].map((key) => store.redis.zcard(key)),
        );
        return open.every((count) => count === 0);
      });
    },
    redisCpu: async () => {
      const info = await store.redis.info('cpu');
      const seconds = (field: string): number => Number(new RegExp(`${field}:([\\d.]+)`).exec(info)?.[1]);
      return seconds('used_cpu_user') + seconds('used_cpu_sys');
    },
    stop: async () => {
      await traffic.stop();
      await Promise.all([dashboard.stop(), worker.stop(), simulator.stop()]);
      await store.close();
      await redis.dispose();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A job as a producer would submit it. */
export function jobOf(queue: string, text: string): NewJob {
  return {
    ...{ queue, type: 'generate', model: 'sim-1', priority: 5, delayMs: 0, deadline: null },
    ...{ metadata: { tenant: 'bench' }, webhookUrl: null, retryOf: null, stream: false, forget: false },
    ...{ batch: null, key: null, idempotency: null, body: { input: text, max_output_tokens: 100 } },
  };
}

/** Real jobs that ended are written again and again under other ids; those that wait are submitted. */
async function fill(store: Store): Promise<{ completed: string; failed: string }> {
  const began = performance.now();
  const queue = queueNamed(store, 'archive');
  await queue.bull.pause();
  const [done, bad] = await submit(store, [
    jobOf('archive', 'a job that ends well'),
    jobOf('archive', 'a job that fails'),
  ]);
  if (done === undefined || bad === undefined || done instanceof Error || bad instanceof Error)
    throw new Error('refused');
  await end(store, done.id, { output: 'It was the best of times, it was the worst of times. '.repeat(8) });
  await end(store, bad.id, { error: { code: 'context_length_exceeded', message: 'The input has 130012 tokens.' } });
  const waiting = Math.round(JOBS * WAITING_SHARE);
  await copyEnded(store, bad.id, 'failed', Math.round(JOBS * FAILED_SHARE));
  await copyEnded(store, done.id, 'completed', JOBS - waiting - Math.round(JOBS * FAILED_SHARE));
  const texts = Array.from({ length: 1000 }, (_, i) =>
    jobOf('archive', `waiting job ${i}: tell me about mills and races`),
  );
  for (let sent = 0; sent < waiting; sent += texts.length) await submit(store, texts.slice(0, waiting - sent));
  print({
    bench: 'dashboard',
    what: 'filled',
    jobs: JOBS,
    waiting,
    seconds: round((performance.now() - began) / 1000),
  });
  return { completed: done.id, failed: bad.id };
}

const COPY = `
local record, result = redis.call('HGETALL', KEYS[1]), redis.call('GET', KEYS[2])
local stamp = tonumber(redis.call('HGET', KEYS[1], 'stamp'))
local finished = tonumber(redis.call('HGET', KEYS[1], 'finished_at'))
for i = tonumber(ARGV[2]), tonumber(ARGV[3]) do
  local id = ARGV[1] .. string.format('%040x', i)
  redis.call('HSET', ARGV[4] .. id, unpack(record))
  redis.call('HSET', ARGV[4] .. id, 'stamp', string.format('%.0f', stamp - i * 2), 'finished_at', string.format('%.0f', finished))
  if result then redis.call('SET', ARGV[5] .. id, result) end
  redis.call('ZADD', KEYS[3], string.format('%.0f', stamp - i * 2), id)
  redis.call('ZADD', KEYS[4], finished, id)
end`;

let copied = 0;

async function copyEnded(store: Store, id: string, status: string, count: number): Promise<void> {
  const { keys, tag } = queueNamed(store, 'archive');
  for (let made = 0; made < count; made += PER_CALL) {
    const [from, to] = [copied + 1, copied + Math.min(PER_CALL, count - made)];
    copied = to;
    await store.redis.eval(
      COPY,
      4,
      ...[keys.job(id), keys.result(id), keys.status(status), keys.finished],
      ...[`resp_${tag}`, from, to, keys.job(''), keys.result('')],
    );
  }
}

interface IndexAnswer {
  index: { jobs: number; bytes: number; making: number | null; until: number | null; trouble: string | null };
}

async function indexMade(dashboard: RoleProcess): Promise<void> {
  const began = performance.now();
  const state = await eventually(
    'the index is made',
    async () => {
      const { index } = (await call<IndexAnswer>('GET', `${dashboard.url}/api/jobs?limit=1`)).body;
      if (index.trouble !== null) throw new Error(index.trouble);
      return index.making === null && index.until !== null && index;
    },
    INDEX_BOUND_MS,
  );
  const seconds = (performance.now() - began) / 1000;
  print({
    ...{ bench: 'dashboard', what: 'index made', jobs: state.jobs, seconds: round(seconds) },
    ...{ jobs_per_second: round(state.jobs / seconds), bytes_per_job: round(state.bytes / state.jobs) },
    cpu_seconds: round(cpuSeconds(dashboard.child.pid), 1),
  });
}

/** Submits 200 jobs a second, twenty at a time, until it is stopped. */
function runTraffic(store: Store): { stop(): Promise<void> } {
  let sending: Promise<unknown> = Promise.resolve();
  let round = 0;
  const timer = setInterval(() => {
    const jobs = Array.from({ length: (PER_SECOND * TICK_MS) / 1000 }, (_, i) =>
      jobOf('generate', `job ${round}.${i}`),
    );
    round++;
    sending = sending.then(() => submit(store, jobs));
  }, TICK_MS);
  return {
    stop: async () => {
      clearInterval(timer);
      await sending;
    },
  };
}
