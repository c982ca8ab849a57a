/**
 * What streaming through us costs: streamed jobs per CPU-second of one worker (attempts recorded, events stored) against
 * a bare SDK loop that streams; how much later the first token comes than it would directly; and a thousand readers.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createLog, loadConfig, readEnvironment } from '@millrace/core';
import { bullPrefix, openStore, type Store, submit } from '@millrace/queue';
import { Queue } from 'bullmq';
import OpenAI from 'openai';
import { eventually } from '../harness/eventually.ts';
import { call } from '../harness/http.ts';
import { roleEnvironment, startRole } from '../harness/processes.ts';
import { freshRedis, type TestRedis } from '../harness/redis.ts';
import { median, percentile, print, round } from './figures.ts';
import { cpuSeconds, peakMiB } from './process-figures.ts';
import { startSimulatorProcess } from './simulator-process.ts';
import { timedRound } from './timed-round.ts';

const IN_FLIGHT = 200;
const JOBS = 2000;
const ROUNDS = 3;
const RUN_BOUND_MS = 300_000;
/** An answer of some fifty deltas: one that comes delta by delta, and one that comes all at once. */
const SHAPES = {
  'over a third of a second': { latencyMs: 100, streamEvents: 50, tokensPerSecond: 200 },
  'in one piece': { latencyMs: 300, streamEvents: 50 },
};
const FIRST_TOKENS = 150;
const ANSWER_GOES_ON_MS = 50;
const READERS = 1000;
const STREAMS = 100;

export async function streaming(): Promise<void> {
  for (const [shape, answer] of Object.entries(SHAPES)) await jobsPerCpuSecond(shape, answer);
  await firstToken();
  await manyReaders();
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
    [join(import.meta.dirname, 'bare-stream-loop.ts'), upstream, String(JOBS), String(IN_FLIGHT)],
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
      ...{ metadata: null, webhookUrl: null, retryOf: null, stream: true, forget: false, batch: null },
      ...{ idempotency: null, body: { input: `prompt ${i}`, stream: true } },
    })),
  );
}

/** One stream at a time on an idle stack; the upstream is in this process, so that all ends share a clock. */
async function firstToken(): Promise<void> {
  const response = { id: 'resp_1', object: 'response', status: 'in_progress', model: 'bench', output: [] };
  const events = [
    { type: 'response.created', response },
    { type: 'response.in_progress', response },
    { type: 'response.output_text.delta', item_id: 'm', output_index: 0, content_index: 0, delta: 'first' },
    { type: 'response.completed', response: { ...response, status: 'completed' } },
  ];
  const frames = events.map(
    (event, i) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: i })}\n\n`,
  );
  const upstream = createServer((request, answer) => {
    request.resume();
    request.on('end', () => {
      answer.writeHead(200, { 'content-type': 'text/event-stream' }).write(frames.slice(0, 3).join(''));
      // An answer goes on after its first token.
      setTimeout(() => answer.end(frames[3]), ANSWER_GOES_ON_MS);
    });
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { port } = upstream.address() as { port: number };
  const baseURL = `http://127.0.0.1:${port}/v1`;
  const redis = await freshRedis();
  const env = { REDIS_URL: redis.url, OPENAI_BASE_URL: baseURL, OPENAI_API_KEY: 'bench' };
  const [api, worker] = await Promise.all([startRole('api', env), startRole('worker', env)]);
  const clients = {
    direct: new OpenAI({ baseURL, apiKey: 'bench', maxRetries: 0 }),
    through: new OpenAI({ baseURL: `${api.url}/v1`, apiKey: 'bench', maxRetries: 0 }),
  };
  const took = { direct: [] as number[], through: [] as number[] };
  try {
    for (let i = 0; i < FIRST_TOKENS + 20; i++) {
      for (const way of ['direct', 'through'] as const) {
        const began = performance.now();
        const stream = await clients[way].responses.create({ model: 'bench', input: 'hi', stream: true });
        let first = 0;
        for await (const event of stream) if (event.type.endsWith('.delta')) first ||= performance.now() - began;
        if (i >= 20) took[way].push(first);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    const later = took.through.map((ms, i) => ms - (took.direct[i] as number));
    print({
      bench: 'streaming',
      what: 'first token later than directly, ms',
      streams: FIRST_TOKENS,
      direct_p50: round(median(took.direct), 1),
      through_p50: round(median(took.through), 1),
      later_p50: round(median(later), 1),
      later_p99: round(percentile(later, 0.99), 1),
      goal: 'later_p50 <= 10',
    });
  } finally {
    await Promise.all([api.stop(), worker.stop()]);
    upstream.closeAllConnections();
    upstream.close();
    await redis.dispose();
  }
}

/** Ten readers of each of a hundred streams, all on one API process. */
async function manyReaders(): Promise<void> {
  const simulator = await startSimulatorProcess({ latencyMs: 3000, streamEvents: 50, tokensPerSecond: 20 });
  const redis = await freshRedis();
  const env = { REDIS_URL: redis.url, OPENAI_BASE_URL: simulator.url, OPENAI_API_KEY: 'bench' };
  const [api, worker] = await Promise.all([startRole('api', env), startRole('worker', env)]);
  try {
    const ids = await Promise.all(
      Array.from({ length: STREAMS }, async (_, i) => {
        const body = { model: 'bench', input: `stream ${i}`, background: true };
        return (await call<{ id: string }>('POST', `${api.url}/v1/responses`, body)).body.id;
      }),
    );
    const before = cpuSeconds(api.child.pid);
    const idle = peakMiB(api.child.pid);
    let ended = 0;
    let whole = 0;
    for (let i = 0; i < READERS; i++) {
      get(`${api.url}/v1/responses/${ids[i % STREAMS]}?stream=true`, { agent: false }, (response) => {
        let last = '';
        response.on('data', (data: Buffer) => {
          last = (last + data).slice(-20_000);
        });
        response.on('close', () => {
          ended++;
          if (last.includes('event: response.completed')) whole++;
        });
      });
    }
    const healthy: number[] = [];
    await eventually(
      'all have read to the end',
      async () => {
        const began = performance.now();
        await call('GET', `${api.url}/healthz`);
        healthy.push(performance.now() - began);
        return ended === READERS;
      },
      RUN_BOUND_MS,
    );
    print({
      bench: 'streaming',
      what: 'readers at once on one API process',
      readers: READERS,
      streams: STREAMS,
      read_to_the_end: whole,
      api_cpu_seconds: round(cpuSeconds(api.child.pid) - before, 1),
      api_peak_mib_before: round(idle),
      api_peak_mib: round(peakMiB(api.child.pid)),
      healthz_p99_ms: round(percentile(healthy, 0.99), 1),
      goal: `read_to_the_end ${READERS}`,
    });
  } finally {
    await Promise.all([api.stop(), worker.stop(), simulator.stop()]);
    await redis.dispose();
  }
}
