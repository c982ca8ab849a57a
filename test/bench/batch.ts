/**
 * How fast a batch becomes jobs: 50,000 lines from POST /v1/batches until the last one waits in its queue, checked,
 * recorded and on disk, against BullMQ's own addBulk of the same requests; and what memory API and worker take for it.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeRedis, connectRedis } from '@millrace/queue';
import { Queue } from 'bullmq';
import OpenAI, { toFile } from 'openai';
import { eventually } from '../harness/eventually.ts';
import { call } from '../harness/http.ts';
import { startRole } from '../harness/processes.ts';
import { freshRedis } from '../harness/redis.ts';
import { median, print, round } from './figures.ts';
import { peakMiB } from './process-figures.ts';

const LINES = 50_000;
const ROUNDS = 3;
/** As the facts of BullMQ's speed are mostly told. */
const BULK = 1000;
/** OpenAI's own bound of a batch's file. */
const LARGE_BYTES = 200 * 1024 * 1024;
const BOUND_MS = 300_000;

const request = (i: number): { model: string; input: string } => ({
  model: 'bench',
  input: `Question ${i}: ${'why do mills have races? '.repeat(8)}`,
});

export async function batch(): Promise<void> {
  const lines = Array.from({ length: LINES }, (_, i) =>
    JSON.stringify({ custom_id: `line-${i}`, method: 'POST', url: '/v1/responses', body: request(i) }),
  );
  const text = Buffer.from(lines.join('\n'));
  const raw: number[] = [];
  const ours: number[] = [];
  const apiPeaks: number[] = [];
  const workerPeaks: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    raw.push(await rawRound());
    const figures = await batchRound(text);
    ours.push(figures.seconds);
    apiPeaks.push(figures.apiMiB);
    workerPeaks.push(figures.workerMiB);
  }
  print({
    bench: 'batch',
    what: 'lines a second, from POST /v1/batches to the last one waiting',
    lines: LINES,
    file_mib: round(text.length / 1024 / 1024),
    rounds: ROUNDS,
    millrace: round(LINES / median(ours)),
    raw_add_bulk: round(LINES / median(raw)),
    ratio: round(median(raw) / median(ours), 2),
    ratio_by_round: ours.map((seconds, i) => round((raw[i] as number) / seconds, 2)),
    api_peak_mib: round(Math.max(...apiPeaks)),
    worker_peak_mib: round(Math.max(...workerPeaks)),
    goal: 'ratio >= 0.7, api_peak_mib <= 300',
  });
  await largeUpload();
}

/** The same requests as they would be added without any of it: no record, no check, no batch. */
async function rawRound(): Promise<number> {
  const redis = await freshRedis();
  const queue = new Queue('raw', { connection: { host: '127.0.0.1', port: redis.port } });
  try {
    await queue.waitUntilReady();
    const began = performance.now();
    for (let from = 0; from < LINES; from += BULK) {
      await queue.addBulk(
        Array.from({ length: BULK }, (_, i) => ({
          name: 'generate',
          data: request(from + i),
          opts: { jobId: `job-${from + i}`, priority: 8 },
        })),
      );
    }
    return (performance.now() - began) / 1000;
  } finally {
    await queue.close();
    await redis.dispose();
  }
}

async function batchRound(text: Buffer): Promise<{ seconds: number; apiMiB: number; workerMiB: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  const redis = await freshRedis();
  const config = join(folder, 'config.json');
  await writeFile(
    config,
    JSON.stringify({
      upstreams: { none: { baseURL: 'http://127.0.0.1:9/v1', background: 'off' } },
      queues: { generate: { model: 'bench' } },
      files: { directory: join(folder, 'files') },
    }),
  );
  const env = { REDIS_URL: redis.url, MILLRACE_CONFIG: config };
  const [api, worker] = await Promise.all([startRole('api', env), startRole('worker', env)]);
  const looking = connectRedis(redis.url, 'patient', () => undefined);
  try {
    // What is measured is how jobs come in: none is to be taken.
    await call('POST', `${api.url}/v1/queues/generate/pause`);
    const client = new OpenAI({ baseURL: `${api.url}/v1`, apiKey: 'bench', maxRetries: 0 });
    const file = await client.files.create({ file: await toFile(text, 'in.jsonl'), purpose: 'batch' });
    const began = performance.now();
    await client.batches.create({ input_file_id: file.id, endpoint: '/v1/responses', completion_window: '24h' });
    await eventually(
      'all lines are jobs',
      async () => (await looking.zcard('{mr:generate}:status:queued')) === LINES,
      BOUND_MS,
    );
    const seconds = (performance.now() - began) / 1000;
    return { seconds, apiMiB: peakMiB(api.child.pid), workerMiB: peakMiB(worker.child.pid) };
  } finally {
    await closeRedis(looking);
    await Promise.all([api.stop(), worker.stop()]);
    await redis.dispose();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A file as large as OpenAI takes: the API passes it on to the disk. */
async function largeUpload(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  const redis = await freshRedis();
  const config = join(folder, 'config.json');
  await writeFile(config, JSON.stringify({ files: { directory: join(folder, 'files') } }));
  const api = await startRole('api', { REDIS_URL: redis.url, MILLRACE_CONFIG: config });
  try {
    const client = new OpenAI({ baseURL: `${api.url}/v1`, apiKey: 'bench', maxRetries: 0 });
    await client.files.create({ file: await toFile(randomBytes(1000), 'small'), purpose: 'batch' });
    const before = peakMiB(api.child.pid);
    const began = performance.now();
    await client.files.create({ file: await toFile(randomBytes(LARGE_BYTES), 'large'), purpose: 'batch' });
    print({
      bench: 'batch',
      what: 'upload of a large file',
      mib: LARGE_BYTES / 1024 / 1024,
      seconds: round((performance.now() - began) / 1000, 1),
      api_peak_mib_before: round(before),
      api_peak_mib: round(peakMiB(api.child.pid)),
      goal: 'api_peak_mib <= 300',
    });
  } finally {
    await api.stop();
    await redis.dispose();
    await rm(folder, { recursive: true, force: true });
  }
}
