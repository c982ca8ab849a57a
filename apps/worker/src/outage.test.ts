/** Redis goes away and comes back, with its data, while a runner is at work. */
import { readJob, type Store } from '@millrace/queue';
import { type LocalRedis, startLocalRedis } from '@millrace/queue/local-redis';
import { expect, it, type TestContext } from 'vitest';
import { openTestStore, silentLog } from '../../../packages/queue/src/testing/store.ts';
import { COMPLETED, queueOf, submitOne } from '../../../packages/queue/src/testing/stored.ts';
import { eventually } from '../../../test/harness/eventually.ts';
import { freshRedis, REDIS_PACKAGE_DIR, type TestRedis } from '../../../test/harness/redis.ts';
import { type Admission, openAdmission } from './admission.ts';
import { openLimits } from './limits.ts';
import { openRouting } from './routing.ts';
import { type Runner, startRunner } from './runner.ts';
import { type ScriptedRun, scriptedRun } from './testing/scripted-run.ts';
import { runTool } from './turns/run-tool.ts';

interface Place {
  redis: TestRedis;
  store: Store;
  start(scripted: ScriptedRun, lockMs: number): Runner;
  comeBack(): Promise<void>;
}

/** A Redis of its own for each test: most of them is waiting for an outage to be over, so they run side by side. */
async function openPlace(onTestFinished: TestContext['onTestFinished']): Promise<Place> {
  const redis = await freshRedis();
  const store = await openTestStore(redis.url);
  const admissions: Admission[] = [];
  let back: LocalRedis | null = null;
  onTestFinished(async () => {
    await store.close();
    for (const admission of admissions) admission.close();
    await back?.stop();
    await redis.dispose();
  });
  return {
    redis,
    store,
    start: (scripted, lockMs) => {
      const settings = store.config.queues.generate;
      if (settings === undefined) throw new Error('the test configuration has lost its queue');
      const admission = openAdmission(store, openLimits(store, 'w', silentLog), silentLog);
      admissions.push(admission);
      return startRunner({
        store,
        queue: queueOf(store),
        settings,
        lockMs,
        worker: 'w',
        run: scripted.run,
        abandon: async () => undefined,
        admission,
        routing: openRouting(store.config, silentLog),
        shadows: { offer: () => undefined, close: async () => undefined },
        isolation: { enter: async () => () => undefined, run: scripted.run, tool: runTool, close: () => undefined },
        restartAfterMs: 30_000,
        log: silentLog,
      });
    },
    comeBack: async () => {
      back = await startLocalRedis({ dataDir: redis.dataDir, cacheDir: REDIS_PACKAGE_DIR, port: redis.port });
    },
  };
}

/** Until as much time has passed as matters: the outage itself is what is tested. */
const away = (ms: number): Promise<void> => {
  const end = performance.now() + ms;
  return eventually('the outage has lasted long enough', () => performance.now() > end).then(() => undefined);
};

it.concurrent('calls that outlive an outage longer than their locks are not made twice, and their answers are kept', async ({
  onTestFinished,
}) => {
  const { redis, store, start, comeBack } = await openPlace(onTestFinished);
  const lockMs = 600;
  const scripted = scriptedRun();
  const runners = [start(scripted, lockMs), start(scripted, lockMs)];
  const ids = await Promise.all(Array.from({ length: 10 }, () => submitOne(store)));
  await scripted.nth(9);
  // Long enough for BullMQ to have marked all of them as candidates for being lost.
  await away(2 * lockMs);
  await redis.stop();
  await away(4 * lockMs);
  await comeBack();
  await eventually('Redis is used again', () => store.liveness.alive());
  await away(5 * lockMs);
  for (const { end } of scripted.started) end(COMPLETED);
  for (const id of ids) {
    await eventually('it is completed', async () => (await readJob(store, id))?.job.status === 'completed');
    expect((await readJob(store, id))?.job.attempts).toHaveLength(1);
  }
  expect(scripted.started).toHaveLength(ids.length);
  await Promise.all(runners.map((runner) => runner.drain(1000)));
});

it.concurrent('an answer that comes while Redis is away is stored when it is back', async ({ onTestFinished }) => {
  const { redis, store, start, comeBack } = await openPlace(onTestFinished);
  const scripted = scriptedRun();
  const runner = start(scripted, 30_000);
  const id = await submitOne(store);
  const attempt = await scripted.nth(0);
  await redis.stop();
  attempt.end(COMPLETED);
  await away(500);
  await comeBack();
  const found = await eventually('it is completed', async () => {
    const job = await readJob(store, id);
    return job?.job.status === 'completed' && job;
  });
  expect(found.answer).toEqual(COMPLETED.answer);
  await runner.drain(1000);
});

it.concurrent('draining while Redis is away ends in bounded time, idle or not', async ({ onTestFinished }) => {
  const { redis, store, start } = await openPlace(onTestFinished);
  const scripted = scriptedRun();
  const busy = start(scripted, 30_000);
  await submitOne(store);
  await scripted.nth(0);
  // Only now, so that it is not the one that takes the job.
  const idle = start(scriptedRun(), 30_000);
  await redis.stop();
  const began = performance.now();
  await Promise.all([busy.drain(500), idle.drain(60_000)]);
  // The grace of the busy one, and for both the bound for giving back.
  expect(performance.now() - began).toBeLessThan(8000);
});

it('Redis going away in the middle of anything is no unhandled rejection', async ({ onTestFinished }) => {
  const { redis, store, start, comeBack } = await openPlace(onTestFinished);
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);
  process.on('unhandledRejection', note);
  const hasty = await openTestStore(redis.url, { kind: 'hasty' });
  const runner = start({ ...scriptedRun(), run: async () => COMPLETED }, 30_000);
  const submitting = Promise.allSettled(
    Array.from({ length: 300 }, () => hasty.liveness.guard(() => submitOne(hasty))),
  );
  await submitOne(store);
  redis.kill();
  await redis.stop();
  await submitting;
  await away(1500);
  await comeBack();
  await eventually('both are alive again', () => hasty.liveness.alive() && store.liveness.alive());
  const id = await submitOne(hasty);
  await eventually('it is completed', async () => (await readJob(store, id))?.job.status === 'completed');
  await runner.drain(1000);
  await hasty.close();
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});
