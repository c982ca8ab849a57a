/**
 * What durability costs. Jobs per CPU-second of one worker process, through the whole stack (API, Redis that fsyncs
 * every write, BullMQ, attempt record, fenced result), against a bare SDK loop at the same concurrency; peak memory of
 * both; and the way of one job on an idle stack, from the submitter's POST to the upstream's receipt.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'undici';
import { eventually } from '../harness/eventually.ts';
import { call, submitLines } from '../harness/http.ts';
import { ROLE_FLAGS, type RoleProcess, roleEnvironment, startRole } from '../harness/processes.ts';
import { freshRedis } from '../harness/redis.ts';

const ROOT = join(import.meta.dirname, '..', '..');
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
  const simulator = await startSimulatorProcess();
  const config = join(folder, 'config.json');
  await writeFile(
    config,
    JSON.stringify({
      upstreams: { simulator: { baseURL: simulator.url, apiKey: 'bench' } },
      queues: { generate: { model: 'bench', concurrency: IN_FLIGHT } },
    }),
  );
  const env = { REDIS_URL: redis.url, MILLRACE_CONFIG: config };
  const api = await startRole('api', env);
  try {
    const ours: Figures[] = [];
    const bare: Figures[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      bare.push(await bareRound(simulator.url));
      ours.push(await stackRound(api.url, env));
    }
    // The worker is started as the workspace's scripts start it; what the same flags do for the loop belongs beside it.
    const flags = ROLE_FLAGS.worker ?? [];
    const tuned = await bareRound(simulator.url, flags);
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
      goal: '>= 1.0',
    });
    print({
      bench: 'overhead',
      what: 'peak resident MiB at 200 in flight',
      worker_flags: flags.join(' '),
      bare_sdk_loop_with_these_flags: round(tuned.peakMiB),
      millrace: round(median(ours.map(({ peakMiB }) => peakMiB))),
      bare_sdk_loop: round(median(bare.map(({ peakMiB }) => peakMiB))),
      ratio: round(median(ours.map(({ peakMiB }) => peakMiB)) / median(bare.map(({ peakMiB }) => peakMiB)), 2),
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

async function bareRound(upstream: string, flags: readonly string[] = []): Promise<Figures> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...flags, join(import.meta.dirname, 'bare-loop.ts'), upstream, String(JOBS), String(IN_FLIGHT)],
    { timeout: RUN_BOUND_MS, env: roleEnvironment({}) },
  );
  return JSON.parse(stdout) as Figures;
}

/** A fresh worker process, warmed up like the bare loop, then the jobs that wait for it. */
async function stackRound(api: string, env: Record<string, string>): Promise<Figures> {
  const worker = await startRole('worker', env);
  try {
    await through(api, IN_FLIGHT * 2, worker);
    return await through(api, JOBS, worker);
  } finally {
    await worker.stop();
  }
}

async function through(api: string, count: number, worker: RoleProcess): Promise<Figures> {
  await call('POST', `${api}/v1/queues/generate/pause`);
  const before = await completed(api);
  const jobs = Array.from({ length: count }, (_, i) => ({ type: 'generate', request: { input: `prompt ${i}` } }));
  await submitLines(api, jobs);
  const cpu = cpuSeconds(worker);
  const began = performance.now();
  await call('POST', `${api}/v1/queues/generate/resume`);
  await eventually(`${count} jobs are completed`, async () => (await completed(api)) >= before + count, RUN_BOUND_MS);
  return {
    cpuSeconds: cpuSeconds(worker) - cpu,
    seconds: (performance.now() - began) / 1000,
    peakMiB: peakMiB(worker),
  };
}

async function completed(api: string): Promise<number> {
  const { body } = await call<{ data: { jobs: { completed: number } }[] }>('GET', `${api}/v1/queues`);
  return body.data[0]?.jobs.completed ?? 0;
}

/** User and system time of a process: fields 14 and 15 of /proc/<pid>/stat, in ticks of 10 ms. */
function cpuSeconds(process_: RoleProcess): number {
  const stat = readFileSync(`/proc/${process_.child.pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function peakMiB(process_: RoleProcess): number {
  const status = readFileSync(`/proc/${process_.child.pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
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
    took.sort((a, b) => a - b);
    print({
      bench: 'overhead',
      what: 'idle submit → upstream receives, ms',
      jobs: IDLE_JOBS,
      p50: round(took[Math.floor(IDLE_JOBS * 0.5)] as number, 1),
      p99: round(took[Math.floor(IDLE_JOBS * 0.99)] as number, 1),
      max: round(took.at(-1) as number, 1),
      goal: 'p50 <= 5, p99 <= 20',
    });
  } finally {
    await submitter.close();
    await Promise.all([api.stop(), worker.stop()]);
    upstream.closeAllConnections();
    upstream.close();
  }
}

async function startSimulatorProcess(): Promise<{ url: string; stop(): Promise<void> }> {
  const child = spawn(process.execPath, [join(ROOT, 'packages', 'simulator', 'src', 'main.ts')], {
    env: roleEnvironment({
      MILLRACE_SIMULATOR_PORT: '0',
      MILLRACE_SIMULATOR: JSON.stringify({ latencyMs: LATENCY_MS }),
    }),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const url = /http:\S+/.exec(line.toString())?.[0];
  if (url === undefined) throw new Error(`the simulator said: ${line}`);
  return {
    url,
    stop: async () => {
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

function median(numbers: number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}

function round(number: number, digits = 0): number {
  return Number(number.toFixed(digits));
}

function print(line: unknown): void {
  console.log(JSON.stringify(line));
}
