/** kill -9 of a worker: its orphans start again elsewhere within seconds, long before their locks would have run out. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { submitLines } from '../harness/http.ts';
import { finished, readJob, type Stack, startStack } from '../harness/stack.ts';

const JOBS = 20;
/** 3.5 s by the numbers of pace-of-life.ts, five promised; the rest is for a busy machine. */
const MOST_MS = 8000;

let stack: Stack;
beforeAll(async () => {
  // The default lock, 30 s.
  stack = await startStack({ workers: 1, config: { queues: { generate: { model: 'sim-1', concurrency: JOBS } } } });
}, 60_000);
afterAll(() => stack?.stop());

it('orphans of a killed worker start again within seconds, each marked, none counted as an attempt', async () => {
  const lines = Array.from({ length: JOBS }, (_, i) => ({
    type: 'generate',
    request: { input: `[[slow:6000]] number ${i}` },
  }));
  const ids = (await submitLines(stack.api.url, lines)).map(({ id }) => id as string);
  await eventually('all calls are under way', () => stack.simulator.stats().inFlight === JOBS);
  await stack.addWorker();
  await stack.workers[0]?.kill();
  const killedAt = Date.now();
  const jobs = await Promise.all(ids.map((id) => finished(stack, id, 40_000)));
  const waits = jobs
    .map(({ attempts }) => (attempts[1]?.started_at ?? Number.NaN) * 1000 - killedAt)
    .sort((a, b) => a - b);
  process.stdout.write(
    `orphans restarted after p50 ${waits[JOBS / 2]?.toFixed(0)} ms, at most ${waits.at(-1)?.toFixed(0)} ms\n`,
  );
  expect(waits.at(-1)).toBeLessThan(MOST_MS);
  for (const { status, attempts } of jobs) {
    expect(status).toBe('completed');
    expect(attempts).toMatchObject([
      { outcome: 'interrupted', reason: 'lost', possibly_billed: true, counted: false },
      { outcome: 'completed' },
    ]);
  }
}, 90_000);

it('the only worker killed: the one that is started after it finds its orphans', async () => {
  const [id] = (
    await submitLines(stack.api.url, [{ type: 'generate', request: { input: '[[slow:3000]] the only one' } }])
  ).map((line) => line.id as string);
  await eventually('it runs', async () => (await readJob(stack, id as string)).attempts.length === 1);
  await stack.workers[1]?.kill();
  await stack.addWorker();
  const startedAt = Date.now();
  const job = await finished(stack, id as string, 40_000);
  expect((job.attempts[1]?.started_at ?? Number.NaN) * 1000 - startedAt).toBeLessThan(MOST_MS);
  expect(job.status).toBe('completed');
}, 90_000);
