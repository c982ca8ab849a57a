/** A worker whose event loop is blocked is slow, not dead. */
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { DEAD_AFTER_MS } from '../../packages/queue/src/pace-of-life.ts';
import { eventually } from '../harness/eventually.ts';
import { finished, readJob, type Stack, startStack, submitJob } from '../harness/stack.ts';

const BLOCK_MS = 2 * DEAD_AFTER_MS;
const PRELOAD = {
  NODE_OPTIONS: `--import ${join(import.meta.dirname, '..', 'harness', 'preload-block.mjs')}`,
  BLOCK_MS: String(BLOCK_MS),
};

let stack: Stack;
afterEach(() => stack?.stop());

async function blockWhileItRuns(lockSeconds: number): Promise<string> {
  stack = await startStack({ workers: 0, config: { worker: { lockSeconds, graceSeconds: 2 } } });
  const slow = await stack.addWorker(PRELOAD);
  const id = await submitJob(stack, { type: 'generate', request: { input: `[[slow:${BLOCK_MS + 1000}]] a call` } });
  await eventually('the call is under way', () => stack.simulator.stats().inFlight === 1);
  await stack.addWorker();
  slow.child.kill('SIGUSR2');
  return id;
}

it('a loop blocked for much longer than a heartbeat may be silent keeps its jobs: no second call', async () => {
  const id = await blockWhileItRuns(30);
  const job = await finished(stack, id, 40_000);
  expect(job).toMatchObject({ status: 'completed', attempts: [{ outcome: 'completed' }] });
  expect(stack.simulator.ledger()).toHaveLength(1);
}, 90_000);

it('a loop blocked for longer than its locks loses its jobs to others, and that is no crash', async () => {
  const id = await blockWhileItRuns(2);
  await eventually('another one takes it', async () => (await readJob(stack, id)).attempts.length === 2);
  const job = await finished(stack, id, 40_000);
  expect(job.status).toBe('completed');
  expect(stack.workers.flatMap(({ lines }) => lines).filter((line) => line.includes('fell silent'))).toEqual([]);
}, 90_000);
