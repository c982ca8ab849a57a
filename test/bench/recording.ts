/**
 * What recording and fencing cost: the same jobs, the same runner, the same upstream; once with attempts recorded and
 * fenced as they always are, once with a worker whose attempt.ts is replaced by a plain read and a plain write. Beside
 * it, what background calls cost, and what BullMQ alone would do.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bullPrefix } from '@millrace/queue';
import { type JobsOptions, Queue } from 'bullmq';
import { call, submitLines } from '../harness/http.ts';
import { ROLE_FLAGS, startRole } from '../harness/processes.ts';
import { freshRedis, type TestRedis } from '../harness/redis.ts';
import { median, print, round } from './figures.ts';
import { startNodeProcess } from './node-process.ts';
import { startSimulatorProcess } from './simulator-process.ts';
import { type RoundFigures, timedRound } from './timed-round.ts';

const IN_FLIGHT = 200;
const LATENCY_MS = 200;
const JOBS = 4000;
/** Connections and compiled code, before anything is counted. */
const WARM_UP_JOBS = IN_FLIGHT * 2;
/** A round's figure moves by a tenth on a machine that is not idle; the middle one of five by far less. */
const ROUNDS = 5;
const RECORDING_OFF = pathToFileURL(join(import.meta.dirname, 'preload-recording-off.mjs')).href;
const BULLMQ_WORKER = join(import.meta.dirname, 'bullmq-worker.ts');
/** BullMQ's entries, kept as Millrace keeps them. */
const KEPT: JobsOptions = { removeOnComplete: { age: 7 * 86_400, count: 10_000 } };
const BULK = 500;

const VARIANTS = ['recording_off', 'recording_on', 'background_on', 'bullmq_alone'] as const;
type Variant = (typeof VARIANTS)[number];

/** Prints jobs per CPU-second of each variant, and their ratios round by round. Takes some three minutes. */
export async function recording(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  const simulator = await startSimulatorProcess({ latencyMs: LATENCY_MS });
  const configure = async (background: 'on' | 'off'): Promise<string> => {
    const file = join(folder, `${background}.json`);
    const config = {
      upstreams: { simulator: { baseURL: simulator.url, apiKey: 'bench', background } },
      queues: { generate: { model: 'bench', concurrency: IN_FLIGHT } },
    };
    await writeFile(file, JSON.stringify(config));
    return file;
  };
  const configs = { direct: await configure('off'), background: await configure('on') };
  const figures = new Map<Variant, RoundFigures[]>(VARIANTS.map((variant) => [variant, []]));
  try {
    for (let number = 0; number < ROUNDS; number++) {
      // Who comes first changes, so that no variant has the quieter machine by its place.
      for (const variant of [
        ...VARIANTS.slice(number % VARIANTS.length),
        ...VARIANTS.slice(0, number % VARIANTS.length),
      ]) {
        figures.get(variant)?.push(await oneRound(variant, configs));
      }
    }
  } finally {
    await simulator.stop();
    await rm(folder, { recursive: true, force: true });
  }
  print({
    bench: 'recording',
    what: 'jobs per worker CPU-second',
    in_flight: IN_FLIGHT,
    latency_ms: LATENCY_MS,
    jobs: JOBS,
    rounds: ROUNDS,
    ...rates(figures, ({ workerCpuSeconds }) => workerCpuSeconds),
    goal: 'ratio >= 0.9',
  });
  print({
    bench: 'recording',
    what: 'jobs per CPU-second of worker and Redis together',
    ...rates(figures, ({ workerCpuSeconds, redisCpuSeconds }) => workerCpuSeconds + redisCpuSeconds),
  });
}

/** The middle rate of each variant, and what the others come to against recording off. */
function rates(figures: Map<Variant, RoundFigures[]>, cpu: (one: RoundFigures) => number): Record<string, unknown> {
  const all = (variant: Variant): number[] => (figures.get(variant) ?? []).map((one) => JOBS / cpu(one));
  const middle = (variant: Variant): number => median(all(variant));
  const off = all('recording_off');
  return {
    ...Object.fromEntries(VARIANTS.map((variant) => [variant, round(middle(variant))])),
    ratio: round(middle('recording_on') / middle('recording_off'), 2),
    ratio_by_round: all('recording_on').map((rate, number) => round(rate / (off[number] ?? Number.NaN), 2)),
    background_ratio: round(middle('background_on') / middle('recording_off'), 2),
    ratio_to_bullmq_alone: round(middle('recording_on') / middle('bullmq_alone'), 2),
  };
}

/** On a Redis, an API and a worker of its own, so that no round finds what another one left. */
async function oneRound(variant: Variant, configs: { direct: string; background: string }): Promise<RoundFigures> {
  const redis = await freshRedis();
  try {
    const config = variant === 'background_on' ? configs.background : configs.direct;
    const env = { REDIS_URL: redis.url, MILLRACE_CONFIG: config };
    return variant === 'bullmq_alone' ? await bullmqRound(redis, env) : await stackRound(redis, env, variant);
  } finally {
    await redis.dispose();
  }
}

async function stackRound(redis: TestRedis, env: Record<string, string>, variant: Variant): Promise<RoundFigures> {
  const api = await startRole('api', env);
  const off = variant === 'recording_off' ? { NODE_OPTIONS: `--import ${RECORDING_OFF}` } : {};
  const worker = await startRole('worker', { ...env, ...off });
  const queue = openQueue(redis, bullPrefix('generate'));
  try {
    let last = '';
    const fill = (count: number) => async (): Promise<void> => {
      const replies = await submitLines(
        api.url,
        prompts(count).map((input) => ({ type: 'generate', request: { input } })),
      );
      last = replies.at(-1)?.id ?? '';
    };
    const measured = { worker: worker.child.pid, redis: redis.pid };
    await timedRound(queue, measured, fill(WARM_UP_JOBS));
    const figures = await timedRound(queue, measured, fill(JOBS));
    await checkAnswer(api.url, last, variant);
    return figures;
  } finally {
    await queue.close();
    await Promise.all([worker.stop(), api.stop()]);
  }
}

/** A round counts only if it did its work: the answer is there, and so is the attempt, or not, as the variant has it. */
async function checkAnswer(api: string, id: string, variant: Variant): Promise<void> {
  const { body } = await call<{ status: string; result: object | null; attempts: object[] }>(
    'GET',
    `${api}/v1/jobs/${id}`,
  );
  const attempts = variant === 'recording_off' ? 0 : 1;
  if (body.status === 'completed' && body.result !== null && body.attempts.length === attempts) return;
  throw new Error(`${variant}: ${JSON.stringify(body)}`);
}

async function bullmqRound(redis: TestRedis, env: Record<string, string>): Promise<RoundFigures> {
  const worker = await startNodeProcess(BULLMQ_WORKER, env, ROLE_FLAGS.worker);
  const queue = openQueue(redis, 'bull');
  try {
    const fill = (count: number) => async (): Promise<void> => {
      const jobs = prompts(count).map((input) => ({
        name: 'generate',
        data: { model: 'bench', input },
        opts: KEPT,
      }));
      for (let from = 0; from < count; from += BULK) await queue.addBulk(jobs.slice(from, from + BULK));
    };
    const measured = { worker: worker.child.pid, redis: redis.pid };
    await timedRound(queue, measured, fill(WARM_UP_JOBS));
    return await timedRound(queue, measured, fill(JOBS));
  } finally {
    await queue.close();
    await worker.kill();
  }
}

function openQueue(redis: TestRedis, prefix: string): Queue {
  return new Queue('generate', { connection: { host: '127.0.0.1', port: redis.port }, prefix });
}

function prompts(count: number): string[] {
  return Array.from({ length: count }, (_, number) => `prompt ${number}`);
}
