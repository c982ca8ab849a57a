/** Workers killed (kill -9) in the middle of an action on many jobs: of each failed job exactly one new one is made. */
import { createLog, loadConfig, readEnvironment } from '@millrace/core';
import { createAction, listJobs, openStore, readAction, type Store, setPaused } from '@millrace/queue';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { end, submitOne } from '../harness/dashboard.ts';
import { eventually } from '../harness/eventually.ts';
import { type Stack, startStack } from '../harness/stack.ts';

const JOBS = 2000;
const KILLS = 3;

let stack: Stack;
let store: Store;
beforeAll(async () => {
  stack = await startStack({ workers: 0 });
  store = await openStore({
    redisUrl: stack.redis.url,
    config: await loadConfig(readEnvironment(stack.env)),
    log: createLog('test', 'silent'),
    kind: 'patient',
  });
  await setPaused(store, 'generate', true);
});
afterAll(async () => {
  await store?.close();
  await stack?.stop();
});

it('workers killed while they carry it out leave one new job of each, none twice and none left out', async () => {
  const old: string[] = [];
  for (let from = 0; from < JOBS; from += 200) {
    const part = await Promise.all(Array.from({ length: 200 }, () => submitOne(store)));
    await Promise.all(part.map((id) => end(store, id, { error: { code: 'made_up', message: 'it does not work' } })));
    old.push(...part);
  }
  const terms = { kind: 'retry', what: 'all', cause: null, edit: null, key: null } as const;
  const id = await createAction(store, { ...terms, ids: old });
  const done = async (): Promise<number> => (await readAction(store, id))?.done ?? 0;
  let inTheMiddle = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const before = await done();
    const worker = await stack.addWorker();
    await eventually('it goes on', async () => (await done()) > before);
    await worker.kill();
    if ((await done()) < JOBS) inTheMiddle += 1;
  }
  expect(inTheMiddle).toBeGreaterThan(0);
  await stack.addWorker();
  const action = await eventually('it is completed', async () => {
    const now = await readAction(store, id);
    return now?.status === 'completed' && now;
  });
  expect(action).toMatchObject({ total: JOBS, done: JOBS, made: JOBS, skipped: 0, failed: 0 });
  const { jobs } = await listJobs(store, { queues: ['generate'], statuses: ['queued'], limit: 2 * JOBS });
  expect(jobs.map(({ retry_of: of }) => of).sort()).toEqual(old.sort());
}, 90_000);
