/**
 * How fast a batch's requests become jobs: 50,000 lines, from POST /v1/batches until every one is stored, against the
 * same payloads given to BullMQ's `addBulk` and nothing else, each on a fresh Redis with the same settings (an fsync
 * for each write). The queue is paused, so no job runs. And what the API takes of memory while 200 MB are uploaded.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { bullPrefix, closeRedis, connectRedis } from '@millrace/queue';
import { Queue } from 'bullmq';
import OpenAI from 'openai';
import { eventually } from '../harness/eventually.ts';
import { call } from '../harness/http.ts';
import { freshRedis } from '../harness/redis.ts';
import { startStack } from '../harness/stack.ts';
import { median, print, round } from './figures.ts';
import { peakMiB, residentMiB } from './process-figures.ts';

const LINES = 50_000;
const ROUNDS = 3;
/** A page of text, and as large as 50,000 lines may be together: 200 MB. */
const BODY_BYTES = { usual: 1000, large: 3900 };
/** As large as people make them, and as large as Millrace's own transactions are. */
const BULK = [1000, 200];
/** Every job that waits is in it. */
const QUEUED = `${bullPrefix('generate')}:status:queued`;
const BOUND_MS = 180_000;

/** Prints the rates of each round's contenders and the memory of API and worker. Takes some three minutes. */
export async function batch(): Promise<void> {
  const rates: { millrace: number; bulk: number[] }[] = [];
  const memory: Intake[] = [];
  for (let at = 0; at < ROUNDS; at++) {
    const intake = await takeIn(BODY_BYTES.usual);
    memory.push(intake);
    const bulk: number[] = [];
    for (const size of BULK) bulk.push(LINES / (await addBulk(size)));
    rates.push({ millrace: LINES / intake.seconds, bulk });
  }
  const raw = BULK.map((_, index) => median(rates.map(({ bulk }) => bulk[index] as number)));
  const ours = median(rates.map(({ millrace }) => millrace));
  print({
    bench: 'batch',
    what: 'lines stored a second, from POST /v1/batches until all are jobs',
    ...{ lines: LINES, line_bytes: lineOf(BODY_BYTES.usual, 0).length, rounds: ROUNDS, millrace: round(ours) },
    ...Object.fromEntries(BULK.map((size, index) => [`bullmq_addBulk_of_${size}`, round(raw[index] as number)])),
    ...Object.fromEntries(BULK.map((size, index) => [`ratio_to_${size}`, round(ours / (raw[index] as number), 2)])),
    ratio_by_round: rates.map(({ millrace, bulk }) => bulk.map((rate) => round(millrace / rate, 2))),
    goal: '>= 0.7',
  });
  printMemory(memory);
  printMemory([await takeIn(BODY_BYTES.large)]);
}

interface Intake {
  seconds: number;
  uploadBytes: number;
  /** MiB: before the upload, at most until it was answered, and at most until all lines were jobs. */
  api: { before: number; upload: number; intake: number };
  worker: { before: number; intake: number };
}

function printMemory(intakes: readonly Intake[]): void {
  const most = (of: (intake: Intake) => number): number => round(Math.max(...intakes.map(of)));
  print({
    bench: 'batch',
    what: 'resident MiB, the most of all rounds',
    ...{ lines: LINES, upload_mb: most(({ uploadBytes }) => uploadBytes / 1e6) },
    ...{ api_before: most(({ api }) => api.before), api_peak_upload: most(({ api }) => api.upload) },
    ...{ api_peak_intake: most(({ api }) => api.intake), api_goal: '<= 300' },
    ...{ worker_before: most(({ worker }) => worker.before), worker_peak: most(({ worker }) => worker.intake) },
    intake_seconds: round(median(intakes.map(({ seconds }) => seconds)), 1),
  });
}

/** Uploads and begins a batch with OpenAI's SDK, on a stack of its own. */
async function takeIn(bodyBytes: number): Promise<Intake> {
  const stack = await startStack();
  // Asked of Redis itself: polled so often, the API would take a part of what is measured.
  const redis = connectRedis(stack.redis.url, 'patient', (error) => console.error(error));
  try {
    const [api, worker] = [stack.api.child.pid, stack.workers[0]?.child.pid];
    const path = join(stack.folder, 'requests.jsonl');
    await pipeline(Readable.from(linesOf(bodyBytes)), createWriteStream(path));
    const client = new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: 'any', maxRetries: 0 });
    await call('POST', `${stack.api.url}/v1/queues/generate/pause`);
    const before = { api: residentMiB(api), worker: residentMiB(worker) };
    const file = await client.files.create({ file: createReadStream(path), purpose: 'batch' });
    const upload = peakMiB(api);
    const began = performance.now();
    await client.batches.create({ input_file_id: file.id, endpoint: '/v1/responses', completion_window: '24h' });
    await eventually('every line is a job', async () => (await redis.zcard(QUEUED)) === LINES, BOUND_MS);
    return {
      seconds: (performance.now() - began) / 1000,
      uploadBytes: file.bytes,
      api: { before: before.api, upload, intake: peakMiB(api) },
      worker: { before: before.worker, intake: peakMiB(worker) },
    };
  } finally {
    await closeRedis(redis);
    await stack.stop();
  }
}

/** Seconds for as many jobs with the same payloads, `size` a call. */
async function addBulk(size: number): Promise<number> {
  const redis = await freshRedis();
  const queue = new Queue('generate', { connection: { host: '127.0.0.1', port: redis.port } });
  try {
    await queue.waitUntilReady();
    await queue.pause();
    const began = performance.now();
    for (let from = 0; from < LINES; from += size) {
      const places = Array.from({ length: Math.min(size, LINES - from) }, (_, index) => from + index);
      await queue.addBulk(
        places.map((place) => ({
          name: 'generate',
          data: bodyOf(BODY_BYTES.usual, place),
          opts: { jobId: `job-${place}` },
        })),
      );
    }
    return (performance.now() - began) / 1000;
  } finally {
    await queue.close();
    await redis.dispose();
  }
}

function bodyOf(bytes: number, place: number): { model: string; input: string } {
  return { model: 'bench', input: `${place} ${'words of a document, '.repeat(bytes / 21)}` };
}

function lineOf(bodyBytes: number, place: number): string {
  const line = { custom_id: `line-${place}`, method: 'POST', url: '/v1/responses', body: bodyOf(bodyBytes, place) };
  return `${JSON.stringify(line)}\n`;
}

function* linesOf(bodyBytes: number): Generator<string> {
  for (let place = 0; place < LINES; place++) yield lineOf(bodyBytes, place);
}
