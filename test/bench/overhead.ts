/**
 * What durability costs. Jobs per CPU-second of one worker process, through the whole stack (API, Redis that fsyncs
 * every write, BullMQ, attempt record, fenced result), against a bare SDK loop at the same concurrency; peak memory of
 * both; and the way of one job on an idle stack, from the submitter's POST to the upstream's receipt.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bullPrefix } from '@millrace/queue';
import { Queue } from 'bullmq';
import { Client } from 'undici';
import { submitLines } from '../harness/http.ts';
import { ROLE_FLAGS, roleEnvironment, startRole } from '../harness/processes.ts';
import { freshRedis, type TestRedis } from '../harness/redis.ts';
import { median, percentile, print, round } from './figures.ts';
import { peakMiB } from './process-figures.ts';
import { startSimulatorProcess } from './simulator-process.ts';
import { timedRound } from './timed-round.ts';

const IN_FLIGHT = 200;
const LATENCY_MS = 200;
const JOBS = 4000;
const ROUNDS = 3;
const IDLE_JOBS = 300;
const RUN_BOUND_MS = 120_000;

const JSON_TYPE = { 'content-type': 'application/json' };
const JOB = JSON.stringify({ type: 'generate', request: { input: 'hello', model: 'bench' } });

interface Figures {
  cpuSeconds: number;
  peakMiB: number;
  seconds: number;
}

export async function overhead(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  const redis = await freshRedis();
  const simulator = await startSimulatorProcess({ latencyMs: LATENCY_MS });
  const config = join(folder, 'config.json');
  await writeFile(
    config,
    JSON.stringify({
      upstreams: { simulator: { baseURL: simulator.url, apiKey: 'bench', background: 'off' } },
      queues: { generate: { model: 'bench', concurrency: IN_FLIGHT } },
    }),
  );
  const env = { REDIS_URL: redis.url, MILLRACE_CONFIG: config };
  const api = await startRole('api', env);
  try {
    // The worker is started as the workspace's scripts start it. Memory is compared like for like as well: with the
    // same flags on both sides, and with none.
    const flags = ROLE_FLAGS.worker ?? [];
    const ours: Figures[] = [];
    const bare: Figures[] = [];
    const oursPlain: Figures[] = [];
    const bareFlagged: Figures[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      bare.push(await bareRound(simulator.url, []));
      ours.push(await stackRound(api.url, redis, env, flags));
      bareFlagged.push(await bareRound(simulator.url, flags));
      oursPlain.push(await stackRound(api.url, redis, env, []));
    }
    const perCpuSecond = (figures: Figures[]): number => median(figures.map(({ cpuSeconds }) => JOBS / cpuSeconds));
    print({
      bench: 'overhead',
      what: 'jobs per worker CPU-second',
      in_flight: IN_FLIGHT,
      latency_ms: LATENCY_MS,
      jobs: JOBS,
      rounds: ROUNDS,
      millrace: round(perCpuSecond(ours)),
      bare_sdk_loop: round(perCpuSecond(bare)),
      ratio: round(perCpuSecond(ours) / perCpuSecond(bare), 2),
      ratio_by_round: ours.map((figures, i) => round((bare[i] as Figures).cpuSeconds / figures.cpuSeconds, 2)),
      goal: '>= 1.3',
    });
    const memory = (figures: Figures[]): number => median(figures.map(({ peakMiB }) => peakMiB));
    print({
      bench: 'overhead',
      what: 'peak resident MiB at 200 in flight',
      flags: flags.join(' '),
      millrace: round(memory(ours)),
      bare_sdk_loop: round(memory(bareFlagged)),
      ratio: round(memory(ours) / memory(bareFlagged), 2),
      millrace_without_flags: round(memory(oursPlain)),
      bare_sdk_loop_without_flags: round(memory(bare)),
      ratio_without_flags: round(memory(oursPlain) / memory(bare), 2),
      goal: '<= 1.0',
    });
    await idleLatency(redis.url);
  } finally {
    await api.stop();
    await simulator.stop();
    await redis.dispose();
    await rm(folder, { recursive: true, force: true });
  }
}

async function bareRound(upstream: string, flags: readonly string[]): Promise<Figures> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...flags, join(import.meta.dirname, 'bare-loop.ts'), upstream, String(JOBS), String(IN_FLIGHT)],
    { timeout: RUN_BOUND_MS, env: roleEnvironment({}) },
  );
  return JSON.parse(stdout) as Figures;
}

/** A fresh worker process, warmed up like the bare loop, then the jobs that wait for it. */
async function stackRound(
  api: string,
  redis: TestRedis,
  env: Record<string, string>,
  flags: readonly string[],
): Promise<Figures> {
  const worker = await startRole('worker', env, flags);
  const { pid } = worker.child;
  const queue = new Queue('generate', {
    connection: { host: '127.0.0.1', port: redis.port },
    prefix: bullPrefix('generate'),
  });
  const fill = (count: number) => () =>
    submitLines(
      api,
      Array.from({ length: count }, (_, i) => ({ type: 'generate', request: { input: `prompt ${i}` } })),
    );
  const measured = { worker: pid, redis: redis.pid };
  try {
    await timedRound(queue, measured, fill(IN_FLIGHT * 2));
    const { workerCpuSeconds, seconds } = await timedRound(queue, measured, fill(JOBS));
    return { cpuSeconds: workerCpuSeconds, seconds, peakMiB: peakMiB(pid) };
  } finally {
    await queue.close();
    await worker.stop();
  }
}

/** One job at a time on an idle stack; the upstream is in this process, so both ends share a clock. */
async function idleLatency(redisUrl: string): Promise<void> {
  let received: (at: number) => void = () => undefined;
  const upstream = createServer((request, response) => {
    received(performance.now());
    request.resume();
    const body = { id: 'resp_1', object: 'response', status: 'completed', model: 'bench', output: [], usage: null };
    request.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body)));
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { port } = upstream.address() as { port: number };
  const env = { REDIS_URL: redisUrl, OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1`, OPENAI_API_KEY: 'bench' };
  const [api, worker] = await Promise.all([startRole('api', env), startRole('worker', env)]);
  // What is measured is the stack's way, so the submitter is a lean one.
  const submitter = new Client(api.url);
  try {
    const took: number[] = [];
    for (let i = 0; i < IDLE_JOBS + 20; i++) {
      const arrival = new Promise<number>((resolve) => {
        received = resolve;
      });
      const began = performance.now();
      const reply = submitter.request({ method: 'POST', path: '/v1/jobs', headers: JSON_TYPE, body: JOB });
      const at = await arrival;
      await (await reply).body.text();
      if (i >= 20) took.push(at - began);
      // Idle means idle: the worker is back in its blocking fetch before the next job comes.
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    print({
      bench: 'overhead',
      what: 'idle submit → upstream receives, ms',
      jobs: IDLE_JOBS,
      p50: round(median(took), 1),
      p99: round(percentile(took, 0.99), 1),
      max: round(Math.max(...took), 1),
      goal: 'p50 <= 5, p99 <= 20',
    });
  } finally {
    await submitter.close();
    await Promise.all([api.stop(), worker.stop()]);
    upstream.closeAllConnections();
    upstream.close();
  }
}
