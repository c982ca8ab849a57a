/**
 * Redis goes away under real processes and comes back on the same port: nobody dies of it, work goes on by itself, and
 * what was accepted is answered once.
 */
import { type LocalRedis, startLocalRedis } from '@millrace/queue/local-redis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { call } from '../harness/http.ts';
import { REDIS_PACKAGE_DIR } from '../harness/redis.ts';
import { finished, readJob, type Stack, startStack, submitJob } from '../harness/stack.ts';

/** BullMQ's blocking fetch and its watchdog take three seconds; outages longer than that once parked its workers. */
const OUTAGE_MS = 8000;
const LOCK_SECONDS = 2;

let stack: Stack;
let redis: Pick<LocalRedis, 'stop' | 'kill' | 'pid'>;
beforeAll(async () => {
  stack = await startStack({
    workers: 1,
    config: {
      queues: { generate: { model: 'sim-1', concurrency: 20 } },
      worker: { lockSeconds: LOCK_SECONDS, graceSeconds: 2 },
    },
  });
  redis = stack.redis;
}, 60_000);
afterAll(async () => {
  await redis?.stop();
  await stack?.stop();
});

const passed = (ms: number): Promise<unknown> => {
  const end = performance.now() + ms;
  return eventually('the outage has lasted long enough', () => performance.now() > end, ms + 1000);
};

async function comeBack(): Promise<void> {
  const { dataDir, port } = stack.redis;
  redis = await startLocalRedis({ dataDir, cacheDir: REDIS_PACKAGE_DIR, port });
  await eventually('the API is ready', async () => (await call('GET', `${stack.api.url}/readyz`)).status === 200);
}

const generate = (input: string) => ({ type: 'generate', request: { input } });
const stillRun = (): void => {
  for (const { child } of [stack.api, ...stack.workers]) expect(child.exitCode).toBeNull();
};

it.each(['stopped', 'killed'])(
  'a worker whose Redis was %s for eight seconds takes jobs again by itself, idle or not',
  async (how) => {
    await finished(stack, await submitJob(stack, generate('before')));
    if (how === 'killed') redis.kill();
    await redis.stop();
    await passed(OUTAGE_MS);
    stillRun();
    await comeBack();
    const first = await submitJob(stack, generate('at once'));
    expect((await finished(stack, first, 10_000)).status).toBe('completed');
    const second = await submitJob(stack, generate('once idle'));
    expect((await finished(stack, second, 10_000)).status).toBe('completed');
    const delayed = await submitJob(stack, { ...generate('after its delay'), delay_seconds: 1 });
    expect((await finished(stack, delayed, 10_000)).status).toBe('completed');
  },
  90_000,
);

it('a worker whose Redis was frozen for eight seconds takes jobs again by itself', async () => {
  await finished(stack, await submitJob(stack, generate('before')));
  process.kill(redis.pid, 'SIGSTOP');
  await passed(OUTAGE_MS);
  process.kill(redis.pid, 'SIGCONT');
  await eventually('the API is ready', async () => (await call('GET', `${stack.api.url}/readyz`)).status === 200);
  const id = await submitJob(stack, generate('after'));
  expect((await finished(stack, id, 10_000)).status).toBe('completed');
  stillRun();
}, 60_000);

it('calls under way when Redis goes, for longer than their locks live, are answered once and not made twice', async () => {
  const before = stack.simulator.ledger().length;
  const ids = await Promise.all(
    Array.from({ length: 10 }, (_, n) => submitJob(stack, generate(`[[slow:${n < 5 ? 4000 : 14_000}]] ${n}`))),
  );
  await eventually('all are under way', () => stack.simulator.stats().inFlight === ids.length);
  await passed(LOCK_SECONDS * 1000);
  await redis.stop();
  await passed(4 * LOCK_SECONDS * 1000);
  await comeBack();
  for (const id of ids) {
    const job = await finished(stack, id, 30_000);
    expect([job.status, job.attempts.length]).toEqual(['completed', 1]);
  }
  expect(stack.simulator.ledger().length - before).toBe(ids.length);
}, 90_000);

it('a worker told to stop while Redis is away ends in bounded time, and its job is taken up when Redis is back', async () => {
  const leaving = await stack.addWorker();
  const [worker] = stack.workers;
  await worker?.stop();
  const id = await submitJob(stack, generate('[[slow:4000]] given up'));
  await eventually('it is under way', async () => (await readJob(stack, id)).status === 'in_progress');
  await redis.stop();
  const began = performance.now();
  expect(await leaving.stop()).not.toBeNull();
  // The grace, the bound for giving back, and those for hanging up.
  expect(performance.now() - began).toBeLessThan(12_000);
  await comeBack();
  await stack.addWorker();
  const job = await finished(stack, id, 60_000);
  expect(job.status).toBe('completed');
  expect(job.attempts[0]).toMatchObject({
    outcome: 'interrupted',
    reason: 'lost',
    possibly_billed: true,
    counted: false,
  });
}, 120_000);

it('an API told to stop while Redis is away ends in bounded time', async () => {
  await redis.stop();
  const began = performance.now();
  expect(await stack.api.stop()).toBe(0);
  expect(performance.now() - began).toBeLessThan(5000);
  const { dataDir, port } = stack.redis;
  redis = await startLocalRedis({ dataDir, cacheDir: REDIS_PACKAGE_DIR, port });
}, 60_000);
