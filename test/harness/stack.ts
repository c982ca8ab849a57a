/** A whole stack for a test: Redis, simulator, API and workers, each real, all ended by `stop`. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ConfigInput } from '@millrace/core';
import { type Simulator, type SimulatorOptions, startSimulator } from '@millrace/simulator';
import { eventually } from './eventually.ts';
import { call } from './http.ts';
import { type RoleProcess, startRole } from './processes.ts';
import { recordedUpstream } from './recorded-upstream.ts';
import { freshRedis, type TestRedis } from './redis.ts';

export interface Stack {
  redis: TestRedis;
  simulator: Simulator;
  api: RoleProcess;
  workers: RoleProcess[];
  env: Record<string, string>;
  folder: string;
  /** What the upstream was asked, in order, where that is recorded. */
  asked: readonly Record<string, unknown>[];
  addWorker(env?: Record<string, string>): Promise<RoleProcess>;
  stop(): Promise<void>;
}

export interface StackOptions {
  workers?: number;
  /** Merged over one upstream (the simulator) and the queues generate and extract; may be made of the simulator's URL. */
  config?: ConfigInput | ((simulator: string) => ConfigInput);
  simulator?: SimulatorOptions;
  env?: Record<string, string>;
  /** Where files are kept is a folder of the stack's own. */
  files?: Omit<NonNullable<ConfigInput['files']>, 'directory' | 's3'>;
  /** The workers run the tools of test/harness/tools.ts. */
  tools?: boolean;
  /** The zod schemas of test/harness/schemas.ts are configured. */
  schemas?: boolean;
  /** What the upstream is asked is noted (see `Stack.asked`). */
  recorded?: boolean;
  /** How the upstream is called; off unless told. */
  background?: 'auto' | 'on' | 'off';
}

export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-stack-'));
  const [redis, simulator] = await Promise.all([freshRedis(), startSimulator({ port: 0, ...options.simulator })]);
  const recorded = options.recorded ? await recordedUpstream(simulator.url) : null;
  const modules = (['tools', 'schemas'] as const).filter((name) => options[name]);
  const file = join(folder, modules.length > 0 ? 'millrace.config.ts' : 'millrace.config.json');
  const config: ConfigInput = {
    upstreams: {
      simulator: {
        ...{ baseURL: recorded?.url ?? simulator.url, apiKey: 'sk-simulated' },
        background: options.background ?? 'off',
      },
    },
    queues: { generate: { model: 'sim-1' }, extract: { model: 'sim-1' } },
    files: { directory: join(folder, 'files'), ...options.files },
    ...(typeof options.config === 'function' ? options.config(simulator.url) : options.config),
  };
  await writeFile(file, modules.length > 0 ? withModules(config, modules) : JSON.stringify(config));
  const noted = options.tools ? { TOOLS_NOTED: join(folder, 'tools.log') } : {};
  const places = { MILLRACE_CONFIG: file, MILLRACE_DATA: join(folder, 'data') };
  const env = { REDIS_URL: redis.url, ...places, ...noted, ...options.env };
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
  const stack: Stack = {
    redis,
    simulator,
    api,
    workers,
    env,
    folder,
    asked: recorded?.asked ?? [],
    addWorker,
    stop: async () => {
      // Whichever is the API by now: a test may have had another one take its place.
      await Promise.all([stack.api.stop(), ...workers.map((worker) => worker.stop())]);
      await recorded?.close();
      await Promise.all([simulator.close(), redis.dispose()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
  return stack;
}

/** @param modules files of this folder whose default export is the part of the configuration of their name */
function withModules(config: ConfigInput, modules: readonly string[]): string {
  const url = (name: string): string => pathToFileURL(join(import.meta.dirname, `${name}.ts`)).href;
  const imports = modules.map((name) => `import ${name} from ${JSON.stringify(url(name))};\n`).join('');
  return `${imports}export default { ...${JSON.stringify(config)}, ${modules.join(', ')} };\n`;
}

export interface Tokens {
  input_tokens: number;
  output_tokens: number;
  total_tokens: number;
}

export interface JobView {
  id: string;
  type: string;
  status: string;
  queue: string;
  model: string | null;
  priority: number;
  created_at: number;
  error: { code: string; message: string; param?: string | null; details?: unknown } | null;
  usage: Tokens | null;
  metadata: Record<string, string> | null;
  attempts: {
    number: number;
    worker: string;
    outcome: string | null;
    reason: string | null;
    upstream_id: string | null;
    usage: Tokens | null;
    possibly_billed: boolean;
    counted: boolean;
    log: { at: number; level: string; text: string }[] | null;
    started_at: number;
    finished_at: number | null;
  }[];
  result: { output_text: string; output_parsed: unknown } | null;
  turns: {
    number: number;
    upstream_id: string;
    usage: Tokens | null;
    output: { type: string }[];
    misses?: { path: string; problem: string }[];
  }[];
  tool_calls: Record<string, number> | null;
  retry_of: string | null;
  waiting_for: { reason: string; until: number } | null;
  timings: { started_at: number | null; finished_at: number | null; total_seconds: number | null };
}

export async function readJob(stack: { api: RoleProcess }, id: string): Promise<JobView> {
  return (await call<JobView>('GET', `${stack.api.url}/v1/jobs/${id}`)).body;
}

/** The job once it reached its outcome. */
export async function finished(stack: { api: RoleProcess }, id: string, ms?: number): Promise<JobView> {
  return eventually(
    `job ${id} is finished`,
    async () => {
      const job = await readJob(stack, id);
      return ['completed', 'failed', 'cancelled', 'incomplete'].includes(job.status) && job;
    },
    ms,
  );
}

/** Submits one job and answers its id. */
export async function submitJob(stack: { api: RoleProcess }, job: unknown): Promise<string> {
  const reply = await call<{ id: string }>('POST', `${stack.api.url}/v1/jobs`, job);
  if (reply.status !== 202) throw new Error(`${reply.status}: ${reply.text}`);
  return reply.body.id;
}
