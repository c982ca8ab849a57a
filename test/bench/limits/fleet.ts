/** Millrace before a limited upstream: API and three worker processes on a Redis that has learned nothing yet. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConfigInput } from '@millrace/core';
import { call, submitLines } from '../../harness/http.ts';
import { startRole } from '../../harness/processes.ts';
import { freshRedis } from '../../harness/redis.ts';
import { MODEL } from './limited-upstream.ts';
import { type BenchJob, requestOf } from './workload.ts';

const WORKERS = 3;

export interface Ended {
  completed: number;
  /** With any other outcome. */
  failed: number;
}

export interface Fleet {
  pause(queue: string): Promise<void>;
  resume(queue: string): Promise<void>;
  /** @throws when one is not accepted */
  submit(queue: string, jobs: readonly BenchJob[]): Promise<void>;
  ended(queue: string): Promise<Ended>;
  stop(): Promise<void>;
}

/** @param limit as the configuration has it; `{}`: to be learned. @param queues each with the priority of its jobs, 0 … 9 */
export async function startFleet(
  upstreamUrl: string,
  limit: NonNullable<ConfigInput['limits']>[string],
  queues: Record<string, { priority?: number }> = { generate: {} },
): Promise<Fleet> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  const redis = await freshRedis();
  const file = join(folder, 'config.json');
  const config: ConfigInput = {
    upstreams: { simulator: { baseURL: upstreamUrl, apiKey: 'bench', background: 'off' } },
    limits: { key: limit },
    queues: Object.fromEntries(Object.entries(queues).map(([name, queue]) => [name, { model: MODEL, ...queue }])),
  };
  await writeFile(file, JSON.stringify(config));
  const env = { REDIS_URL: redis.url, MILLRACE_CONFIG: file };
  const [api, ...workers] = await Promise.all([
    startRole('api', env),
    ...Array.from({ length: WORKERS }, () => startRole('worker', env)),
  ]);
  const ask = async (verb: string, queue: string): Promise<void> => {
    const { status, text } = await call('POST', `${api.url}/v1/queues/${queue}/${verb}`);
    if (status !== 200) throw new Error(text);
  };
  return {
    pause: (queue) => ask('pause', queue),
    resume: (queue) => ask('resume', queue),
    submit: async (queue, jobs) => {
      const lines = jobs.map((job) => ({ type: 'generate', queue, request: requestOf(job) }));
      const refused = (await submitLines(api.url, lines)).find(({ id }) => id === undefined);
      if (refused !== undefined) throw new Error(`not accepted: ${JSON.stringify(refused)}`);
    },
    ended: async (queue) => {
      const { body } = await call<{ data: { name: string; jobs: Record<string, number> }[] }>(
        'GET',
        `${api.url}/v1/queues`,
      );
      const jobs = body.data.find(({ name }) => name === queue)?.jobs ?? {};
      const { completed = 0, failed = 0, cancelled = 0, incomplete = 0 } = jobs;
      return { completed, failed: failed + cancelled + incomplete };
    },
    stop: async () => {
      // Killed: of a backlog that is left on purpose nothing needs to end.
      await Promise.all([api.stop(), ...workers.map((worker) => worker.kill())]);
      await redis.dispose();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
