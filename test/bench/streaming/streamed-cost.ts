/** Streamed jobs per CPU-second of one worker, attempts recorded and events stored, against a bare SDK loop that streams. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createLog, loadConfig, readEnvironment } from '@millrace/core';
import { bullPrefix, openStore, type Store, submit } from '@millrace/queue';
import { Queue } from 'bullmq';
import { roleEnvironment, startRole } from '../../harness/processes.ts';
import { freshRedis, type TestRedis } from '../../harness/redis.ts';
import { median, print, round } from '../figures.ts';
import { startSimulatorProcess } from '../simulator-process.ts';
import { timedRound } from '../timed-round.ts';

const IN_FLIGHT = 200;
const JOBS = 2000;
const ROUNDS = 3;
const RUN_BOUND_MS = 300_000;
/** An answer of some fifty deltas: one that comes delta by delta, and one that comes all at once. */
const SHAPES = {
  'over a third of a second': { latencyMs: 100, streamEvents: 50, tokensPerSecond: 200 },
  'in one piece': { latencyMs: 300, streamEvents: 50 },
};

export async function streamedCost(): Promise<void> {
  for (const [shape, answer] of Object.entries(SHAPES)) await jobsPerCpuSecond(shape, answer);
}

async function jobsPerCpuSecond(shape: string, answer: Parameters<typeof startSimulatorProcess>[0]): Promise<void> {
  const simulator = await startSimulatorProcess(answer);
  try {
    const bare: { cpuSeconds: number; eventsEach: number }[] = [];
    const direct: number[] = [];
    const background: number[] = [];
    for (let i = 0; i < ROUNDS; i++) {
      bare.push(await bareRound(simulator.url));
      direct.push(await workerRound(simulator.url, 'off'));
      background.push(await workerRound(simulator.url, 'on'));
    }
    const perCpuSecond = (seconds: readonly number[]): number => median(seconds.map((one) => JOBS / one));
    const base = perCpuSecond(bare.map((one) => one.cpuSeconds));
    print({
      bench: 'streaming',
      what: `streamed jobs per worker CPU-second, answers ${shape}`,
      in_flight: IN_FLIGHT,
      events_each: round(bare[0]?.eventsEach ?? 0),
      jobs: JOBS,
      rounds: ROUNDS,
      bare_sdk_loop: round(base),
      millrace_direct: round(perCpuSecond(direct)),
      ratio: round(perCpuSecond(direct) / base, 2),
      ratio_by_round: direct.map((seconds, i) => round((bare[i] as { cpuSeconds: number }).cpuSeconds / seconds, 2)),
      millrace_background: round(perCpuSecond(background)),
      ratio_background: round(perCpuSecond(background) / base, 2),
      goal: 'ratio >= 1.6',
    });
  } finally {
    await simulator.stop();
  }
}

async function bareRound(upstream: string): Promise<{ cpuSeconds: number; eventsEach: number }> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(import.meta.dirname, '..', 'bare-stream-loop.ts'), upstream, String(JOBS), String(IN_FLIGHT)],
    { timeout: RUN_BOUND_MS, env: roleEnvironment({}) },
  );
  return JSON.parse(stdout) as { cpuSeconds: number; eventsEach: number };
}

async function workerRound(upstream: string, background: 'on' | 'off'): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  const redis = await freshRedis();
  const file = join(folder, 'config.json');
  const upstreams = { simulator: { baseURL: upstream, apiKey: 'bench', background } };
  await writeFile(
    file,
    JSON.stringify({ upstreams, queues: { generate: { model: 'bench', concurrency: IN_FLIGHT } } }),
  );
  const worker = await startRole('worker', { REDIS_URL: redis.url, MILLRACE_CONFIG: file });
  const queue = new Queue('generate', {
    connection: { host: '127.0.0.1', port: redis.port },
    prefix: bullPrefix('generate'),
  });
  const store = await storeOn(redis, file);
  try {
    const measured = { worker: worker.child.pid, redis: redis.pid };
    await timedRound(queue, measured, () => submitStreams(store, IN_FLIGHT * 2));
    return (await timedRound(queue, measured, () => submitStreams(store, JOBS))).workerCpuSeconds;
  } finally {
    await Promise.all([queue.close(), store.close(), worker.stop()]);
    await redis.dispose();
    await rm(folder, { recursive: true, force: true });
  }
}

async function storeOn(redis: TestRedis, file: string): Promise<Store> {
  const environment = readEnvironment({ REDIS_URL: redis.url, MILLRACE_CONFIG: file });
  const config = await loadConfig(environment);
  return openStore({ redisUrl: redis.url, config, log: createLog('bench', 'silent'), kind: 'patient' });
}

async function submitStreams(store: Store, count: number): Promise<void> {
  await submit(
    store,
    Array.from({ length: count }, (_, i) => ({
      ...{ queue: 'generate', type: 'generate' as const, model: 'bench', priority: 5, delayMs: 0, deadline: null },
      ...{ metadata: null, webhookUrl: null, retryOf: null, stream: true, forget: false, batch: null, key: null },
      ...{ idempotency: null, body: { input: `prompt ${i}`, stream: true } },
    })),
  );
}
