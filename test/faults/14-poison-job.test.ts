/** A job that kills its process is failed after a named number of crashes, and who was beside it is not. */
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { MAX_CRASHES_ALONE, SUSPECT_CRASHES } from '../../packages/queue/src/pace-of-life.ts';
import { eventually } from '../harness/eventually.ts';
import { call, submitLines } from '../harness/http.ts';
import { finished, readJob, type Stack, startStack } from '../harness/stack.ts';

const POISONED = { NODE_OPTIONS: `--import=${join(import.meta.dirname, '..', 'harness', 'preload-poison.mjs')}` };
const BYSTANDERS = 6;

interface Supervised {
  stack: Stack;
  /** How many worker processes died; each is replaced, as a supervisor does. */
  deaths(): number;
  /** Starts one more worker. */
  supervise(): Promise<void>;
}

let supervising = true;
const stacks: Stack[] = [];
afterAll(async () => {
  supervising = false;
  for (const stack of stacks) await stack.stop();
}, 120_000);

/** A stack of its own for each: most of them is waiting, so they run side by side. */
async function startSupervised(): Promise<Supervised> {
  const stack = await startStack({
    workers: 0,
    config: { queues: { generate: { model: 'sim-1', concurrency: 10 } } },
  });
  stacks.push(stack);
  let deaths = 0;
  const supervise = async (): Promise<void> => {
    const worker = await stack.addWorker(POISONED);
    void worker.exited.then(() => {
      if (!supervising) return;
      deaths++;
      return supervise();
    });
  };
  return { stack, deaths: () => deaths, supervise };
}

it.concurrent('a job that kills its process is failed by name after so many crashes, its bystanders are all answered', async () => {
  const { stack, deaths, supervise } = await startSupervised();
  const inputs = [
    '[[slow:60000]] POISON',
    ...Array.from({ length: BYSTANDERS }, (_, i) => `[[slow:4000]] beside it ${i}`),
  ];
  const lines = inputs.map((input) => ({ type: 'generate', request: { input } }));
  const ids = (await submitLines(stack.api.url, lines)).map(({ id }) => id as string);
  const [poison, ...bystanders] = ids as [string, ...string[]];
  await supervise();
  await supervise();

  const job = await finished(stack, poison, 120_000);
  expect(job.error?.code).toBe('poison');
  // Twice it took its worker along; then only the process that it was isolated in.
  expect(job.attempts.map(({ outcome, reason }) => `${outcome}:${reason}`)).toEqual([
    ...Array.from({ length: SUSPECT_CRASHES }, () => 'interrupted:lost'),
    ...Array.from({ length: MAX_CRASHES_ALONE }, () => 'interrupted:crashed'),
  ]);
  expect(job.attempts.every((attempt) => attempt.possibly_billed)).toBe(true);
  expect(deaths()).toBe(SUSPECT_CRASHES);

  const beside = await Promise.all(bystanders.map((id) => finished(stack, id, 60_000)));
  expect(beside.map(({ status }) => status)).toEqual(bystanders.map(() => 'completed'));
  // The fault reached some of them, or it would say nothing that they are well.
  expect(beside.some(({ attempts }) => attempts.length > 1)).toBe(true);
  const { text } = await call('GET', `${stack.api.url}/metrics`);
  expect(Number(/millrace_crashed_attempts_total\{queue="generate"\} (\d+)/.exec(text)?.[1])).toBeGreaterThanOrEqual(
    SUSPECT_CRASHES + MAX_CRASHES_ALONE,
  );
}, 180_000);

it.concurrent('a suspect that is innocent is answered where it is isolated, and cancelled there when it is not wanted any more', async () => {
  const { stack, supervise } = await startSupervised();
  await Promise.all([supervise(), supervise()]);
  const submit = async (input: string): Promise<string> => {
    const [reply] = await submitLines(stack.api.url, [
      { type: 'generate', request: { input, metadata: { key: input } } },
    ]);
    return reply?.id as string;
  };
  const ids = [await submit('[[slow:3000]] innocent'), await submit('[[slow:60000]] unwanted')];
  for (let crash = 1; crash <= SUSPECT_CRASHES; crash++) {
    await eventually('both run', async () =>
      (await Promise.all(ids.map((id) => readJob(stack, id)))).every(
        ({ attempts }) => attempts.length === crash && attempts.at(-1)?.outcome === null,
      ),
    );
    await Promise.all(stack.workers.map((worker) => worker.kill()));
  }
  const [innocent, unwanted] = ids as [string, string];
  expect((await finished(stack, innocent, 60_000)).status).toBe('completed');
  await eventually(
    'the other one runs',
    async () => (await readJob(stack, unwanted)).attempts.length > SUSPECT_CRASHES,
  );
  await call('POST', `${stack.api.url}/v1/jobs/${unwanted}/cancel`);
  await eventually('its call has ended', () => stack.simulator.stats().inFlight === 0);
  expect((await readJob(stack, unwanted)).status).toBe('cancelled');
  const said = stack.workers.flatMap(({ lines }) => lines).filter((line) => line.includes('in a process of its own'));
  expect(said.length).toBeGreaterThanOrEqual(2);
}, 120_000);
