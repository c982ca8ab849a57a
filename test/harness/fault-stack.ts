/**
 * The stack of a fault test: simulator, API and workers, each real, on a Redis that the test owns and may break. It has
 * a queue for each way of calling, so that one fault can be met by both. Locks are short, so that nobody waits half a
 * minute for an orphan.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConfigInput } from '@millrace/core';
import { type Simulator, type SimulatorOptions, startSimulator } from '@millrace/simulator';
import { type RoleProcess, startRole } from './processes.ts';

type Settings<Name extends 'queues' | 'upstreams'> = Partial<NonNullable<ConfigInput[Name]>[string]>;

export interface FaultStackOptions {
  /** Where API and workers find Redis: the server itself, or a proxy before it. */
  redisUrl: string;
  /** Default 1. */
  workers?: number;
  /** Of both queues; `concurrency` is each one's own. */
  queue?: Settings<'queues'>;
  upstream?: Settings<'upstreams'>;
  worker?: NonNullable<ConfigInput['worker']>;
  simulator?: SimulatorOptions;
}

export interface FaultStack {
  simulator: Simulator;
  /** The one that is up; another one after `replaceApi`. */
  api: RoleProcess;
  /** Every worker so far, also those that were killed. */
  workers: RoleProcess[];
  addWorker(env?: Record<string, string>): Promise<RoleProcess>;
  /** kill -9 of the API, and a new one, on a port of its own. */
  replaceApi(): Promise<void>;
  stop(): Promise<void>;
}

/** What a job is submitted with so that its call runs in the background upstream; without, calls go direct. */
export const IN_BACKGROUND = { queue: 'background' } as const;

/**
 * Short, so that an outage outlives locks; and not the shortest: with 2 s, a machine that stands still for a second (two
 * test files, four processes each, on two cores) costs a living worker its jobs, which is another fault.
 */
export const LOCK_SECONDS = 5;
export const GRACE_SECONDS = 2;

export async function startFaultStack(options: FaultStackOptions): Promise<FaultStack> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-fault-'));
  const simulator = await startSimulator({ port: 0, ...options.simulator });
  const file = join(folder, 'millrace.config.json');
  const upstream = { baseURL: simulator.url, apiKey: 'sk-simulated', ...options.upstream };
  const queue = { model: 'sim-1', backoff: { baseSeconds: 0.1, maxSeconds: 1 }, ...options.queue };
  const config: ConfigInput = {
    upstreams: { direct: { ...upstream, background: 'off' }, background: { ...upstream, background: 'on' } },
    queues: {
      generate: { ...queue, upstream: 'direct' },
      [IN_BACKGROUND.queue]: { ...queue, upstream: 'background' },
    },
    files: { directory: join(folder, 'files') },
    worker: { lockSeconds: LOCK_SECONDS, graceSeconds: GRACE_SECONDS, ...options.worker },
  };
  await writeFile(file, JSON.stringify(config));
  const env = { REDIS_URL: options.redisUrl, MILLRACE_CONFIG: file };
  const workers: RoleProcess[] = [];
  const addWorker = async (extra: Record<string, string> = {}): Promise<RoleProcess> => {
    const worker = await startRole('worker', { ...env, ...extra });
    workers.push(worker);
    return worker;
  };
  const [api] = await Promise.all([
    startRole('api', env),
    ...Array.from({ length: options.workers ?? 1 }, () => addWorker()),
  ]);
  const stack: FaultStack = {
    simulator,
    api,
    workers,
    addWorker,
    replaceApi: async () => {
      await stack.api.kill();
      stack.api = await startRole('api', env);
    },
    stop: async () => {
      await Promise.all([stack.api.stop(), ...workers.map((worker) => worker.stop())]);
      await simulator.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return stack;
}
