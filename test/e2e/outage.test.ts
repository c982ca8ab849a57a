/**
 * Redis goes away under real processes and comes back on the same port: nobody dies of it, work goes on by itself, and
 * what was accepted is answered once.
 */
import { type LocalRedis, startLocalRedis } from '@millrace/queue/local-redis';
import { afterAll, expect, it } from 'vitest';
import { elapsed } from '../harness/elapse.ts';
import { eventually } from '../harness/eventually.ts';
import { call } from '../harness/http.ts';
import { REDIS_PACKAGE_DIR } from '../harness/redis.ts';
import { finished, readJob, type Stack, startStack, submitJob } from '../harness/stack.ts';

/** BullMQ's blocking fetch and its watchdog take three seconds; outages longer than that once parked its workers. */
const OUTAGE_MS = 8000;
const LOCK_SECONDS = 2;

interface Outage {
  stack: Stack;
  /** The Redis that is there, or was until now. */
  redis: Pick<LocalRedis, 'stop' | 'kill' | 'pid'>;
  comeBack(): Promise<void>;
}

const outages: Outage[] = [];
afterAll(async () => {
  await Promise.all(outages.map(({ redis, stack }) => redis.stop().then(() => stack.stop())));
}, 120_000);

/** A stack of its own for each: they take many seconds in which nothing happens, so they run side by side. */
async function startOutage(workers = 1): Promise<Outage> {
  const stack = await startStack({
    workers,
    config: {
      queues: { generate: { model: 'sim-1', concurrency: 20 } },
      worker: { lockSeconds: LOCK_SECONDS, graceSeconds: 2 },
    },
  });
  const { dataDir, port } = stack.redis;
  const outage: Outage = {
    stack,
    redis: stack.redis,
    comeBack: async () => {
      outage.redis = await startLocalRedis({ dataDir, cacheDir: REDIS_PACKAGE_DIR, port });
      await apiReady(stack);
    },
  };
  outages.push(outage);
  return outage;
}

async function apiReady({ api }: Stack): Promise<void> {
  await eventually('the API is ready', async () => (await call('GET', `${api.url}/readyz`)).status === 200);
}

const generate = (input: string) => ({ type: 'generate', request: { input } });
const stillRun = (stack: Stack): void => {
  for (const { child } of [stack.api, ...stack.workers]) expect(child.exitCode).toBeNull();
};

it.concurrent.each(['stopped', 'killed'])(
  'a worker whose Redis was %s for eight seconds takes jobs again by itself, idle or not',
  async (how) => {
    const outage = await startOutage();
    const { stack } = outage;
    await finished(stack, await submitJob(stack, generate('before')));
    if (how === 'killed') outage.redis.kill();
    await outage.redis.stop();
    await elapsed(OUTAGE_MS);
    stillRun(stack);
    await outage.comeBack();
    const first = await submitJob(stack, generate('at once'));
    expect((await finished(stack, first, 10_000)).status).toBe('completed');
    const second = await submitJob(stack, generate('once idle'));
    expect((await finished(stack, second, 10_000)).status).toBe('completed');
    const delayed = await submitJob(stack, { ...generate('after its delay'), delay_seconds: 1 });
    expect((await finished(stack, delayed, 10_000)).status).toBe('completed');
  },
  90_000,
);

it.concurrent('a worker whose Redis was frozen for eight seconds takes jobs again by itself', async () => {
  const { stack, redis } = await startOutage();
  await finished(stack, await submitJob(stack, generate('before')));
  process.kill(redis.pid, 'SIGSTOP');
  await elapsed(OUTAGE_MS);
  process.kill(redis.pid, 'SIGCONT');
  await apiReady(stack);
  const id = await submitJob(stack, generate('after'));
  expect((await finished(stack, id, 10_000)).status).toBe('completed');
  stillRun(stack);
}, 60_000);

it.concurrent('calls under way when Redis goes, for longer than their locks live, are answered once and not made twice', async () => {
  const outage = await startOutage();
  const { stack } = outage;
  const ids = await Promise.all(
    Array.from({ length: 10 }, (_, n) => submitJob(stack, generate(`[[slow:${n < 5 ? 4000 : 14_000}]] ${n}`))),
  );
  await eventually('all are under way', () => stack.simulator.stats().inFlight === ids.length);
  await elapsed(LOCK_SECONDS * 1000);
  await outage.redis.stop();
  await elapsed(4 * LOCK_SECONDS * 1000);
  await outage.comeBack();
  for (const id of ids) {
    const job = await finished(stack, id, 30_000);
    expect([job.status, job.attempts.length]).toEqual(['completed', 1]);
  }
  expect(stack.simulator.ledger().length).toBe(ids.length);
}, 90_000);

it.concurrent('a worker told to stop while Redis is away ends in bounded time, and its job is taken up when Redis is back', async () => {
  const outage = await startOutage(0);
  const { stack } = outage;
  const leaving = await stack.addWorker();
  const id = await submitJob(stack, generate('[[slow:4000]] given up'));
  await eventually('it is under way', async () => (await readJob(stack, id)).status === 'in_progress');
  await outage.redis.stop();
  const began = performance.now();
  expect(await leaving.stop()).not.toBeNull();
  // The grace, the bound for giving back, and those for hanging up.
  expect(performance.now() - began).toBeLessThan(12_000);
  await outage.comeBack();
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

it.concurrent('an API told to stop while Redis is away ends in bounded time', async () => {
  const { stack, redis } = await startOutage(0);
  await redis.stop();
  const began = performance.now();
  expect(await stack.api.stop()).toBe(0);
  expect(performance.now() - began).toBeLessThan(5000);
}, 60_000);
