/** The tools of a suspect run where it does: one that kills its process takes nobody's call along. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Outcome } from '@millrace/core';
import type { Store } from '@millrace/queue';
import { afterAll, afterEach, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { openTestStore } from '../../../packages/queue/src/testing/store.ts';
import { COMPLETED, queueOf, submitOne } from '../../../packages/queue/src/testing/stored.ts';
import { eventually } from '../../../test/harness/eventually.ts';
import tools from '../../../test/harness/tools.ts';
import { openIsolation } from './isolation.ts';
import type { AttemptRun } from './run-attempt.ts';
import type { Runner } from './runner.ts';
import { openWorkshop, type Workshop } from './testing/workshop.ts';

let shop: Workshop;
let store: Store;
let folder: string;
beforeAll(async () => {
  shop = await openWorkshop();
  // Here it would kill the test.
  const harmless = { ...tools, kills: tools.throws };
  store = await openTestStore(shop.redis.url, { config: { tools: harmless } });
  folder = await mkdtemp(join(tmpdir(), 'millrace-suspect-'));
  const config = join(folder, 'millrace.config.ts');
  const url = pathToFileURL(join(import.meta.dirname, '../../../test/harness/tools.ts')).href;
  await writeFile(config, `import tools from ${JSON.stringify(url)};\nexport default { tools };\n`);
  vi.stubEnv('MILLRACE_CONFIG', config);
  vi.stubEnv('REDIS_URL', shop.redis.url);
  vi.stubEnv('TOOLS_NOTED', join(folder, 'tools.log'));
});
afterEach(() => shop.tidy());
afterAll(async () => {
  vi.unstubAllEnvs();
  await store?.close();
  await shop?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Runs a suspect that calls these tools at once; its calls are scripted, its tools are not. */
async function suspectCalling(...names: string[]): Promise<{ id: string; told: unknown[]; runner: Runner }> {
  const told: unknown[] = [];
  const run: AttemptRun = async ({ turns }): Promise<Outcome> => {
    told.push(...turns.flatMap((turn) => Object.values(turn.tools).map(({ output }) => output)));
    if (turns.length > 0) return COMPLETED;
    const output = names.map((name, n) => ({
      ...{ type: 'function_call', name, call_id: `call_${n}`, arguments: '{"city":"Oslo"}' },
    }));
    return { ...COMPLETED, answer: { ...COMPLETED.answer, response: { ...COMPLETED.answer.response, output } } };
  };
  const isolation = openIsolation({ audit: null, background: () => 'unknown' });
  onTestFinished(isolation.close);
  const id = await submitOne(store);
  await store.redis.hset(queueOf(store).keys.job(id), 'crashes', 2);
  const runner = shop.start({ store, run, isolation: { ...isolation, run } });
  return { id, told, runner };
}

const noted = async (name: string): Promise<string[]> => {
  const lines = (await readFile(join(folder, 'tools.log'), 'utf8')).split('\n');
  return lines.filter((line) => line.startsWith(name));
};

it('what they say is told to the model as ever', async () => {
  const { id, told } = await suspectCalling('get_weather', 'throws');
  await shop.jobOnce(id, 'it is completed', ({ status }) => status === 'completed');
  expect(told).toEqual(['{"city":"Oslo","celsius":21}', 'Error: the station is closed']);
});

it('one that kills its process is run there once more, and then its job is failed', async () => {
  const { id } = await suspectCalling('kills');
  const job = await shop.jobOnce(id, 'it has failed', ({ status }) => status === 'failed');
  expect(job.error?.code).toBe('poison');
  expect(job.attempts.map(({ reason, possibly_billed }) => [reason, possibly_billed])).toEqual([
    ['crashed', false],
    ['crashed', false],
  ]);
  expect(await noted('kills')).toEqual([`kills ${id}:1:call_0`, `kills ${id}:1:call_0`]);
});

it('they end when the job is cancelled', async () => {
  const { id, runner } = await suspectCalling('get_weather', 'waits');
  await eventually('it waits', async () => (await noted('waits')).length === 1);
  runner.cancel(id);
  const job = await shop.jobOnce(id, 'it is cancelled', ({ status }) => status === 'cancelled');
  expect(job.attempts).toMatchObject([{ possibly_billed: false }]);
});
