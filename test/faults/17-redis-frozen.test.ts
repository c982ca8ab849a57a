/** Redis freezes for longer than a heartbeat may be silent: everybody was unheard, so nobody is taken for dead. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DEAD_AFTER_MS } from '../../packages/queue/src/pace-of-life.ts';
import { eventually } from '../harness/eventually.ts';
import { submitLines } from '../harness/http.ts';
import { finished, type Stack, startStack } from '../harness/stack.ts';

const JOBS = 20;
const FROZEN_MS = 2 * DEAD_AFTER_MS;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ workers: 2, config: { queues: { generate: { model: 'sim-1', concurrency: 10 } } } });
}, 60_000);
afterAll(() => stack?.stop());

it('calls of two workers that are under way while Redis is frozen are answered once', async () => {
  const lines = Array.from({ length: JOBS }, (_, i) => ({
    type: 'generate',
    request: { input: `[[slow:${FROZEN_MS + 2 * DEAD_AFTER_MS}]] number ${i}` },
  }));
  const ids = (await submitLines(stack.api.url, lines)).map(({ id }) => id as string);
  await eventually('all calls are under way', () => stack.simulator.stats().inFlight === JOBS);
  process.kill(stack.redis.pid, 'SIGSTOP');
  const frozenAt = performance.now();
  await eventually('it was frozen for long enough', () => performance.now() - frozenAt > FROZEN_MS);
  process.kill(stack.redis.pid, 'SIGCONT');
  const jobs = await Promise.all(ids.map((id) => finished(stack, id, 40_000)));
  for (const job of jobs) expect(job).toMatchObject({ status: 'completed', attempts: [{ outcome: 'completed' }] });
  expect(stack.simulator.ledger()).toHaveLength(JOBS);
  expect(stack.workers.flatMap(({ lines }) => lines).filter((line) => line.includes('fell silent'))).toEqual([]);
}, 90_000);
