/** A job that kills its worker process is failed after a named number of crashes, and who was beside it is not. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MAX_CRASHES } from '../../packages/queue/src/pace-of-life.ts';
import { eventually } from '../harness/eventually.ts';
import { submitLines } from '../harness/http.ts';
import { finished, type JobView, readJob, type Stack, startStack } from '../harness/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ workers: 1, config: { queues: { generate: { model: 'sim-1', concurrency: 10 } } } });
}, 60_000);
afterAll(() => stack?.stop());

/** The process that runs the newest attempt dies of it, as soon as that has begun; a supervisor starts another one. */
async function dieOf(id: string): Promise<JobView> {
  for (let crashes = 1; ; crashes++) {
    const job = await eventually(
      'the poison runs, or is failed',
      async () => {
        const found = await readJob(stack, id);
        const open = found.attempts.length === crashes && found.attempts.at(-1)?.outcome === null;
        return (open || found.status === 'failed') && found;
      },
      60_000,
    );
    if (job.status === 'failed') return job;
    const pid = Number(job.attempts.at(-1)?.worker.split(':')[1]);
    const worker = stack.workers.find(({ child }) => child.pid === pid);
    await worker?.kill();
    await stack.addWorker();
  }
}

it('a job that kills its process is failed by name after so many crashes, its bystanders are all answered', async () => {
  const inputs = ['[[slow:600000]] poison', ...Array.from({ length: 6 }, (_, i) => `[[slow:4000]] beside it ${i}`)];
  const lines = inputs.map((input) => ({ type: 'generate', request: { input } }));
  const ids = (await submitLines(stack.api.url, lines)).map(({ id }) => id as string);
  const [poison, ...bystanders] = ids;
  // All on the one worker there is, so that the first crash is everybody's.
  await eventually('all of them run', async () =>
    (await Promise.all(ids.map((id) => readJob(stack, id)))).every(({ status }) => status === 'in_progress'),
  );
  await stack.addWorker();
  const job = await dieOf(poison as string);
  expect(job.error?.code).toBe('poison');
  expect(job.error?.message).toContain(`${MAX_CRASHES} times`);
  expect(job.attempts).toHaveLength(MAX_CRASHES);
  for (const attempt of job.attempts) expect(attempt).toMatchObject({ outcome: 'interrupted', reason: 'lost' });
  const beside = await Promise.all(bystanders.map((id) => finished(stack, id, 60_000)));
  expect(beside.map(({ status }) => status)).toEqual(bystanders.map(() => 'completed'));
  // The fault reached them, or it would say nothing that they are well.
  expect(beside.every(({ attempts }) => attempts.length > 1)).toBe(true);
}, 180_000);
