/** `background: auto`: what one call proves serves the whole fleet; an upstream that cannot do it is called directly. */

import type { SimulatorOptions } from '@millrace/simulator';
import { expect, it, onTestFinished } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { submitLines } from '../harness/http.ts';
import type { RoleProcess } from '../harness/processes.ts';
import { finished, readJob, type Stack, startStack, submitJob } from '../harness/stack.ts';

async function stackWith(simulator: SimulatorOptions): Promise<Stack> {
  const stack = await startStack({
    workers: 1,
    simulator,
    config: {
      queues: { generate: { model: 'sim-1', concurrency: 20 } },
      worker: { lockSeconds: 2, graceSeconds: 0.1 },
    },
    background: 'auto',
  });
  onTestFinished(() => stack.stop());
  return stack;
}

const said = (worker: RoleProcess | undefined, words: string): number =>
  worker?.lines.filter((line) => line.includes(words)).length ?? 0;
const CAN = 'The upstream answers in the background';
const CANNOT = 'The upstream does not answer in the background';

const jobs = (count: number, words: string): unknown[] =>
  Array.from({ length: count }, (_, i) => ({
    type: 'generate',
    request: { input: `${words} ${i}`, metadata: { key: `${words} ${i}` } },
  }));

it('one call proves it, the next worker knows it from the start, and a kill costs no second bill', async () => {
  const stack = await stackWith({});
  await finished(stack, await submitJob(stack, jobs(1, 'proof')[0]), 30_000);
  expect(said(stack.workers[0], CAN)).toBe(1);
  await stack.workers[0]?.stop();

  const second = await stack.addWorker();
  expect(said(second, CAN)).toBe(1);
  const ids = (await submitLines(stack.api.url, jobs(10, '[[slow:3000]] number'))).map(({ id }) => id as string);
  await eventually('every call has its checkpoint', async () =>
    (await Promise.all(ids.map((id) => readJob(stack, id)))).every(({ attempts }) => attempts[0]?.upstream_id),
  );
  await second.kill();
  await stack.addWorker();
  const ended = await Promise.all(ids.map((id) => finished(stack, id, 60_000)));
  expect(ended.map(({ status }) => status)).toEqual(ids.map(() => 'completed'));
  expect(ended.flatMap(({ attempts }) => attempts).filter((attempt) => attempt.possibly_billed)).toEqual([]);
  expect(stack.simulator.ledger()).toHaveLength(11);
}, 120_000);

it('an upstream that refuses it is called directly, and that is said once by each worker', async () => {
  const stack = await stackWith({ background: false, latencyMs: 50 });
  const replies = await submitLines(stack.api.url, jobs(60, 'direct'));
  const ended = await Promise.all(replies.map(({ id }) => finished(stack, id as string, 60_000)));
  expect(ended.map(({ status }) => status)).toEqual(replies.map(() => 'completed'));
  expect(stack.simulator.ledger()).toHaveLength(60);
  expect(said(stack.workers[0], CANNOT)).toBe(1);
  // Told before it has made a call of its own.
  expect(said(await stack.addWorker(), CANNOT)).toBe(1);
}, 90_000);
