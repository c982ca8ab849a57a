/** A dashboard for a test: its real process on a Redis of its own, and a store to give it jobs to show. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog, type JobError, loadConfig, type NewJob, readEnvironment, type Usage } from '@millrace/core';
import { beginAttempt, finishByOutcome, openStore, queueOfJob, type Store, submit } from '@millrace/queue';
import { type RoleProcess, startRole } from './processes.ts';
import { freshRedis, type TestRedis } from './redis.ts';

export interface DashboardStack {
  redis: TestRedis;
  store: Store;
  dashboard: RoleProcess;
  /** What another dashboard on the same Redis is started with. */
  env: Record<string, string>;
  stop(): Promise<void>;
}

/** The queues `generate` and `extract`, empty, and no worker: a job goes where the test moves it. */
export async function startDashboard(): Promise<DashboardStack> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-dashboard-'));
  const config = join(folder, 'millrace.config.json');
  const queues = { generate: { model: 'sim-1' }, extract: { model: 'sim-1' } };
  await writeFile(config, JSON.stringify({ upstreams: { sim: { baseURL: 'http://127.0.0.1:9/v1' } }, queues }));
  const redis = await freshRedis();
  const env = { REDIS_URL: redis.url, MILLRACE_CONFIG: config, MILLRACE_DATA: join(folder, 'data') };
  const store = await openStore({
    redisUrl: redis.url,
    config: await loadConfig(readEnvironment(env)),
    log: createLog('test', 'silent'),
    kind: 'patient',
  });
  const dashboard = await startRole('dashboard', env);
  return {
    redis,
    store,
    dashboard,
    env,
    stop: async () => {
      await dashboard.stop();
      await store.close();
      await redis.dispose();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Submits a job to `generate`, or whatever `job` says otherwise; answers its id. */
export async function submitOne(store: Store, job: Partial<NewJob> = {}): Promise<string> {
  const [reply] = await submit(store, [
    {
      queue: 'generate',
      type: 'generate',
      model: 'sim-1',
      priority: 5,
      delayMs: 0,
      deadline: null,
      metadata: null,
      webhookUrl: null,
      retryOf: null,
      stream: false,
      forget: false,
      batch: null,
      key: null,
      idempotency: null,
      body: { input: 'hello' },
      ...job,
    },
  ]);
  if (reply === undefined || reply instanceof Error) throw reply ?? new Error('no reply');
  return reply.id;
}

const USAGE: Usage = {
  input_tokens: 120,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 34,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 154,
};

/** Begins an attempt and ends the job by it, as a worker would. */
export async function end(
  store: Store,
  id: string,
  as: { output: string; parsed?: unknown } | { error: JobError },
): Promise<void> {
  const queue = queueOfJob(store, id);
  if (queue === undefined) throw new Error(`no queue for ${id}`);
  const begun = await beginAttempt(store, queue, id, { worker: 'mill:1' });
  if (begun.kind !== 'begun') throw new Error(begun.kind);
  const reply = await finishByOutcome(
    store,
    queue,
    id,
    begun.epoch,
    'error' in as
      ? { kind: 'failed', reason: 'bad_request', error: as.error, possiblyBilled: false, usage: USAGE }
      : {
          kind: 'completed',
          usage: USAGE,
          answer: {
            response: { id: 'resp_up', object: 'response' },
            output_text: as.output,
            ...(as.parsed === undefined ? {} : { output_parsed: as.parsed }),
            usage: USAGE,
          },
        },
  );
  if (reply !== 'written') throw new Error(reply);
}
