/**
 * A batch of 10,000 lines under kill -9: of the worker that takes it in, of workers while its jobs run, of the API
 * half-way, and of the worker that writes its files. Every line is answered once, in one of the two files, in order.
 */
import { randomInt } from 'node:crypto';
import { jobIdOfLine } from '@millrace/core';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CrashableRedis, crashableRedis } from '../harness/crashable-redis.ts';
import { elapsed } from '../harness/elapse.ts';
import { eventually } from '../harness/eventually.ts';
import { checkRun, faultRun } from '../harness/fault-run.ts';
import { type FaultStack, startFaultStack } from '../harness/fault-stack.ts';
import type { RoleProcess } from '../harness/processes.ts';

const LINES = 10_000;
/** Every so many lines one that the upstream refuses, so that there is an error file. */
const REFUSED_EVERY = 50;
const WORKERS = 2;
const CONCURRENCY = 100;
const CALL_MS: [number, number] = [200, 600];
const KILL_EVERY_MS = 4000;
/** No kills while the last of them are under way: the next one is that of whoever writes the files. */
const KILLS_UNTIL = 0.9;
const BOUND_MS = 90_000;

let redis: CrashableRedis;
let stack: FaultStack;
beforeAll(async () => {
  redis = await crashableRedis();
  stack = await startFaultStack({
    redisUrl: redis.url,
    workers: WORKERS,
    queue: { concurrency: CONCURRENCY },
    simulator: { latencyMs: CALL_MS },
  });
});
afterAll(async () => {
  await stack?.stop();
  await redis?.dispose();
});

const isRefused = (place: number): boolean => place % REFUSED_EVERY === 0;
const customId = (place: number): string => `line ${place}`;
const key = (place: number): string => `key-${place}`;

it('10,000 lines under kills in each phase: every line once in one of the files, in order, every surplus call marked', async () => {
  const client = (): OpenAI => new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: 'any', maxRetries: 0 });
  const lines = Array.from({ length: LINES }, (_, place) =>
    JSON.stringify({
      ...{ custom_id: customId(place), method: 'POST', url: '/v1/responses' },
      body: {
        model: 'sim-1',
        input: `${isRefused(place) ? '[[fault:400]] ' : ''}question ${place}`,
        metadata: { key: key(place) },
      },
    }),
  );
  const file = await client().files.create({
    file: await toFile(Buffer.from(lines.join('\n')), 'requests.jsonl'),
    purpose: 'batch',
  });
  const { id } = await client().batches.create({
    ...{ input_file_id: file.id, endpoint: '/v1/responses', completion_window: '24h' },
  });
  const read = (): Promise<OpenAI.Batch> => client().batches.retrieve(id);
  const done = async (): Promise<number> => {
    const { completed = 0, failed = 0 } = (await read()).request_counts ?? {};
    return completed + failed;
  };
  const stored = async (field: string): Promise<string> =>
    String(await redis.command('HGET', `{mr:generate}:batch:${id}`, field));
  const kills = { intake: 0, running: 0, api: 0, finalising: 0 };
  const killed = new Set<RoleProcess>();
  const kill = async (victim: RoleProcess): Promise<void> => {
    await victim.kill();
    killed.add(victim);
  };
  const living = (): RoleProcess[] => stack.workers.filter((worker) => !killed.has(worker));
  /** The worker that looks after the batch now. */
  const holder = async (): Promise<RoleProcess | undefined> => {
    const [, pid] = String(await redis.command('GET', `mr:lease:batch:${id}`)).split(':');
    return living().find(({ child }) => String(child.pid) === pid);
  };

  await eventually('its lines become jobs', async () => Number(await stored('enqueued')) > 0);
  await kill((await holder()) as RoleProcess);
  const enqueued = Number(await stored('enqueued'));
  if (enqueued < LINES) kills.intake += 1;
  await stack.addWorker();
  await eventually('another worker takes in the rest', async () => Number(await stored('enqueued')) === LINES);

  const began = performance.now();
  for (let round = 1; (await done()) < LINES * KILLS_UNTIL; round++) {
    if (kills.api === 0 && (await done()) >= LINES / 2) {
      await stack.replaceApi();
      kills.api += 1;
    }
    await kill(living()[randomInt(WORKERS)] as RoleProcess);
    if ((await read()).status === 'in_progress') kills.running += 1;
    await stack.addWorker();
    await elapsed(round * KILL_EVERY_MS, began);
  }

  await eventually('its files are being written', async () => (await stored('status')) === 'finalizing', BOUND_MS);
  await kill((await eventually('a worker writes its files', holder)) as RoleProcess);
  if ((await stored('status')) === 'finalizing') kills.finalising += 1;
  await stack.addWorker();
  const batch = await eventually(
    'the batch has ended',
    async () => {
      const now = await read();
      return !['in_progress', 'finalizing'].includes(now.status) && now;
    },
    BOUND_MS,
  );

  const refused = Math.ceil(LINES / REFUSED_EVERY);
  expect(batch).toMatchObject({
    status: 'completed',
    request_counts: { total: LINES, completed: LINES - refused, failed: refused },
  });
  const places = Array.from({ length: LINES }, (_, place) => place);
  const customIds = async (fileId: string | null | undefined): Promise<string[]> => {
    const text = await (await client().files.content(String(fileId))).text();
    return text
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { custom_id: string }).custom_id);
  };
  expect(await customIds(batch.output_file_id)).toEqual(places.filter((place) => !isRefused(place)).map(customId));
  expect(await customIds(batch.error_file_id)).toEqual(places.filter(isRefused).map(customId));

  const run = faultRun(stack);
  for (const place of places) run.accepted.set(jobIdOfLine(id, place), key(place));
  const findings = await checkRun(run, '21', {
    faults: kills,
    cutCalls: killed.size * CONCURRENCY,
    completed: LINES - refused,
  });
  expect(findings.stored).toBe(LINES);
  expect(findings.billed).toBeLessThanOrEqual(LINES - refused + findings.marked);
}, 280_000);
