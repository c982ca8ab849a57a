/**
 * A batch of 10,000 lines whose workers and API are killed on the way: while its lines become jobs, while they run, and
 * while its files are written. Each line is answered once, the counts add up, and what was paid in vain is marked.
 */
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { call } from '../harness/http.ts';
import { startRole } from '../harness/processes.ts';
import { type JobView, type Stack, startStack } from '../harness/stack.ts';

const LINES = 10_000;
const CONCURRENCY = 50;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    workers: 2,
    config: {
      queues: {
        generate: { model: 'sim-1', concurrency: CONCURRENCY, backoff: { baseSeconds: 0.05, maxSeconds: 0.2 } },
      },
      worker: { lockSeconds: 5 },
    },
    simulator: { latencyMs: 60 },
  });
}, 60_000);
afterAll(() => stack?.stop());

/** kill -9 of whichever worker has been there longest; another takes its place. */
async function killWorker(): Promise<void> {
  const worker = stack.workers.shift();
  await worker?.kill();
  await stack.addWorker();
}

async function killApi(): Promise<void> {
  const { port } = new URL(stack.api.url);
  await stack.api.kill();
  stack.api = await startRole('api', { ...stack.env, MILLRACE_API_PORT: port });
}

interface Result {
  custom_id: string;
  response: { status_code: number; body: { id: string } } | null;
}

it('answers each line once, whoever is killed when', async () => {
  const client = new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: 'any', maxRetries: 8 });
  const line = (i: number): string =>
    JSON.stringify({
      custom_id: `line-${i}`,
      method: 'POST',
      url: '/v1/responses',
      body: { input: `${i % 500 === 7 ? '[[fault:400]] ' : ''}question ${i}`, metadata: { key: `line-${i}` } },
    });
  const text = Array.from({ length: LINES }, (_, i) => line(i)).join('\n');
  const file = await client.files.create({ file: await toFile(Buffer.from(text), 'in.jsonl'), purpose: 'batch' });
  const created = await client.batches.create({
    input_file_id: file.id,
    endpoint: '/v1/responses',
    completion_window: '24h',
  });
  const batch = (): Promise<OpenAI.Batch> => client.batches.retrieve(created.id);
  const counts = async (): Promise<{ done: number; status: string }> => {
    const { request_counts: now, status } = await batch();
    return { done: (now?.completed ?? 0) + (now?.failed ?? 0), status };
  };
  const kills = { validating: 0, running: 0, api: 0, finalizing: 0 };
  const kill = async (when: keyof typeof kills, what: () => Promise<void>): Promise<void> => {
    await what();
    kills[when]++;
  };

  // Both workers: whoever is at it is one of them.
  if ((await batch()).status === 'validating') await kill('validating', killWorker);
  await eventually('lines have become jobs', async () => (await batch()).status === 'in_progress', 30_000);
  await kill('running', killWorker);
  await eventually('some are done', async () => (await counts()).done > LINES / 5, 60_000);
  await kill('api', killApi);
  await eventually('half are done', async () => (await counts()).done > LINES / 2, 60_000);
  await kill('running', killWorker);
  await eventually(
    'its files are written',
    async () => {
      const { done, status } = await counts();
      return status === 'finalizing' || status === 'completed' || done >= LINES;
    },
    120_000,
  );
  if ((await batch()).status !== 'completed') {
    await kill('finalizing', killWorker);
    await kill('finalizing', killWorker);
  }
  const done = await eventually(
    'it is completed',
    async () => {
      const now = await batch();
      return now.status === 'completed' && now;
    },
    60_000,
  );
  console.info(`21: kills ${JSON.stringify(kills)}`);
  expect(kills.running + kills.validating).toBeGreaterThanOrEqual(2);
  expect(kills.api).toBe(1);
  expect(kills.finalizing).toBeGreaterThanOrEqual(1);

  const read = async (id: string | null | undefined): Promise<Result[]> =>
    (await (await client.files.content(id as string)).text())
      .trim()
      .split('\n')
      .map((one) => JSON.parse(one) as Result);
  const [output, errors] = [await read(done.output_file_id), await read(done.error_file_id)];
  const failing = LINES / 500;
  expect(done.request_counts).toEqual({ total: LINES, completed: LINES - failing, failed: failing });
  expect(output).toHaveLength(LINES - failing);
  expect(errors).toHaveLength(failing);
  expect(new Set([...output, ...errors].map((one) => one.custom_id)).size).toBe(LINES);
  const numbers = output.map(({ custom_id }) => Number(custom_id.slice('line-'.length)));
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  expect(output.every(({ response }) => response?.status_code === 200)).toBe(true);

  // What was billed beyond one call a line is marked on its job, and no more than was in flight at the kills.
  const billed = new Map<string, number>();
  for (const { key } of stack.simulator.ledger()) billed.set(key, (billed.get(key) ?? 0) + 1);
  let surplus = 0;
  for (const one of output) {
    const calls = billed.get(one.custom_id) ?? 0;
    expect(calls, one.custom_id).toBeGreaterThanOrEqual(1);
    if (calls === 1) continue;
    surplus += calls - 1;
    const { body } = await call<JobView>('GET', `${stack.api.url}/v1/jobs/${one.response?.body.id}`);
    expect(body.attempts.filter(({ possibly_billed }) => possibly_billed).length).toBeGreaterThanOrEqual(calls - 1);
  }
  const workerKills = kills.validating + kills.running + kills.finalizing;
  expect(surplus).toBeLessThanOrEqual(workerKills * CONCURRENCY);
  console.info(
    `21: ${LINES} lines, ${stack.simulator.ledger().length} calls billed, ${surplus} of them in vain, all marked`,
  );
}, 300_000);
