/** What workers take, and in which order: no more than can start soon, and who was taken before comes first. */
import { closeRedis, connectRedis } from '@millrace/queue';
import { afterEach, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { call, submitLines } from '../harness/http.ts';
import { finished, readJob, type Stack, type StackOptions, startStack, submitJob } from '../harness/stack.ts';

let stack: Stack;
afterEach(() => stack?.stop());

const open = async (options: StackOptions): Promise<void> => {
  stack = await startStack(options);
};
const submitMany = async (count: number, words = ''): Promise<string[]> => {
  const jobs = Array.from({ length: count }, (_, i) => ({ type: 'generate', request: { input: `${words} job ${i}` } }));
  return (await submitLines(stack.api.url, jobs)).map(({ id }) => id as string);
};
/** Jobs that the worker has taken, those that wait in it for their limit included. */
const taken = async (): Promise<number> => {
  const redis = connectRedis(stack.redis.url, 'patient', () => undefined);
  try {
    return await redis.llen('{mr:generate}:generate:active');
  } finally {
    await closeRedis(redis);
  }
};

it('a worker holds no more jobs than its limit lets start soon, and an urgent one overtakes those that it left', async () => {
  await open({
    config: {
      limits: { main: { requestsPerMinute: 120 } },
      queues: { generate: { model: 'sim-1', concurrency: 200 } },
    },
  });
  await submitMany(150);
  await eventually('it has begun', () => stack.simulator.stats().requests >= 3);
  expect(await taken()).toBeLessThanOrEqual(20);
  const urgent = await submitJob(stack, { type: 'generate', request: { input: 'now' }, priority: 0 });
  const done = await finished(stack, urgent, 20_000);
  expect(done.timings.total_seconds).toBeLessThan(6);
  expect(await taken()).toBeLessThanOrEqual(20);
}, 60_000);

it('answers that take minutes do not keep a limit that has room from being used', async () => {
  await open({
    config: {
      limits: { main: { requestsPerMinute: 1200 } },
      queues: { generate: { model: 'sim-1', concurrency: 200 } },
      // Its calls end with it: nobody waits for them.
      worker: { graceSeconds: 0.1 },
    },
    simulator: { latencyMs: 300_000 },
  });
  await submitMany(150);
  // Twenty a second: none has ended by then, and all that may have started have.
  await eventually('sixty are under way', () => stack.simulator.stats().inFlight >= 60, 10_000);
  expect(await taken()).toBeLessThan(stack.simulator.stats().inFlight + 60);
}, 60_000);

it('a job that is tried again after its backoff is ahead of those that were not taken yet', async () => {
  await open({
    config: {
      queues: { generate: { model: 'sim-1', concurrency: 1, backoff: { baseSeconds: 0.2, maxSeconds: 0.2 } } },
    },
    simulator: { latencyMs: 60 },
  });
  const again = await submitJob(stack, { type: 'generate', request: { input: '[[fault:500 x1]] again' } });
  const others = await submitMany(60);
  const done = await finished(stack, again, 30_000);
  expect(done.status).toBe('completed');
  const before = await Promise.all(others.map((id) => readJob(stack, id)));
  // Some have gone by while it waited; behind all sixty it would have been the last.
  expect(before.filter(({ status }) => status === 'completed').length).toBeLessThan(30);
}, 60_000);

it('an open circuit breaker is named wherever one looks', async () => {
  await open({ config: { queues: { generate: { model: 'sim-1', backoff: { baseSeconds: 0.05, maxSeconds: 0.1 } } } } });
  stack.simulator.setFaults([{ kind: '502html', probability: 1 }]);
  const ids = await submitMany(40);
  interface Breaker {
    upstream: string;
    state: string;
    failures: number;
    next_probe_at: number;
  }
  const breaker = await eventually('it is open', async () => {
    const { body } = await call<{ breakers: Breaker[] }>('GET', `${stack.api.url}/v1/limits`);
    return body.breakers.find(({ state }) => state === 'open');
  });
  expect(breaker.upstream).toBe('simulator');
  expect(breaker.next_probe_at).toBeGreaterThan(0);
  expect((await call('GET', `${stack.api.url}/readyz`)).body).toMatchObject({
    ready: true,
    breakers: [{ upstream: 'simulator', state: 'open' }],
  });
  const waiting = await eventually('a job says so', async () => {
    const jobs = await Promise.all(ids.map((id) => readJob(stack, id)));
    return jobs.find((job) => job.waiting_for?.reason === 'breaker')?.waiting_for;
  });
  expect(waiting).toMatchObject({
    message: expect.stringMatching(/^the circuit breaker of 'simulator': its calls fail/),
  });
  expect((await call('GET', `${stack.api.url}/metrics`)).text).toMatch(
    /^millrace_breaker_open\{upstream="simulator"\} (1|0\.5)$/m,
  );
  stack.simulator.setFaults([]);
  for (const id of ids) expect((await finished(stack, id, 60_000)).status).toBe('completed');
}, 90_000);
