import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog, readEnvironment, resolveConfig } from '@millrace/core';
import { openStore, removeJob, retryJob, type Store } from '@millrace/queue';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { end, submitOne } from '../../../../test/harness/dashboard.ts';
import { eventually } from '../../../../test/harness/eventually.ts';
import { freshRedis, type TestRedis } from '../../../../test/harness/redis.ts';
import { BOUNDS } from './index-bounds.ts';
import type { JobIndex, JobQuery } from './job-index.ts';
import { openJobIndex } from './open-job-index.ts';

let redis: TestRedis;
let store: Store;
let folder: string;
let open: JobIndex[] = [];
beforeAll(async () => {
  redis = await freshRedis();
  store = await openStore({
    redisUrl: redis.url,
    config: resolveConfig({ queues: { generate: {}, extract: {} } }, readEnvironment({})),
    log: createLog('test', 'silent'),
    kind: 'patient',
  });
});
beforeEach(async () => {
  await store.redis.flushall();
  folder = mkdtempSync(join(tmpdir(), 'millrace-index-'));
});
afterEach(async () => {
  await Promise.all(open.map((index) => index.close()));
  open = [];
  rmSync(folder, { recursive: true, force: true });
});
afterAll(async () => {
  await store?.close();
  await redis?.dispose();
});

const opened = (bounds = BOUNDS): JobIndex => {
  const index = openJobIndex(store, folder, bounds);
  open.push(index);
  return index;
};

/** Resolves once everything up to now is in the index. */
const current = async (index: JobIndex): Promise<void> => {
  const now = Date.now();
  await eventually('the index is up to date', () => (index.state().until ?? 0) > now);
};

const found = async (index: JobIndex, query: JobQuery): Promise<string[]> => (await index.find(query, 50, null)).ids;

const failWith = (id: string, code: string, message: string): Promise<void> =>
  end(store, id, { error: { code, message, param: null } });

it('jobs that were there and jobs that come are found by words of their prompts and of their outputs', async () => {
  const before = await submitOne(store, { body: { input: 'tell me of the Orinoco' } });
  const index = opened();
  await current(index);
  expect(await found(index, { text: 'orinoco' })).toEqual([before]);
  const later = await submitOne(store, { body: { input: 'another river' } });
  await end(store, later, { output: 'The Amazon is longer: "naïve" 北京欢迎你 مرحبا بالعالم x\ud800y' });
  await current(index);
  for (const text of ['amazon', 'river amazon', '"another river"', 'amaz*', 'naive', '北京', 'بالعالم', 'x']) {
    expect(await found(index, { text }), text).toEqual([later]);
  }
  for (const text of ['"river another"', 'amaz', 'orinoco amazon', '', '***']) {
    expect(await found(index, { text }), text).toEqual([]);
  }
  expect(await found(index, { text: 'o*' })).toEqual([before]);
});

it('its folder is nobody else’s to look into, also one that stood open', async () => {
  const inside = join(folder, 'dashboard-index');
  mkdirSync(inside, { mode: 0o755 });
  await current(opened());
  expect(statSync(inside).mode & 0o777).toBe(0o700);
});

it('jobs are found by queue, model, status, metadata, error code and time, all together, newest first and page by page', async () => {
  const ids: string[] = [];
  for (let i = 0; i < 7; i++) {
    const metadata = { customer: i % 2 === 0 ? 'acme' : 'other', run: String(i) };
    ids.push(
      await submitOne(store, { metadata, model: i < 5 ? 'small' : 'large', queue: i === 6 ? 'extract' : 'generate' }),
    );
  }
  await failWith(ids[0] as string, 'bad_input', 'no');
  await end(store, ids[1] as string, { output: 'yes' });
  const index = opened();
  await current(index);
  const of = (...places: number[]): string[] => places.map((place) => ids[place] as string);
  expect(await found(index, { metadata: { customer: 'acme' } })).toEqual(of(6, 4, 2, 0));
  expect(await found(index, { metadata: { customer: 'acme', run: '4' } })).toEqual(of(4));
  expect(await found(index, { metadata: { customer: 'acme' }, models: ['large'] })).toEqual(of(6));
  expect(await found(index, { metadata: { customer: 'acme' }, text: 'hello', queues: ['generate'] })).toEqual(
    of(4, 2, 0),
  );
  expect(await found(index, { code: 'bad_input' })).toEqual(of(0));
  expect(await found(index, { statuses: ['completed', 'failed'] })).toEqual(of(1, 0));
  expect(await found(index, { statuses: ['queued'], models: ['small'] })).toEqual(of(4, 3, 2));
  expect(await found(index, { queues: ['extract', 'generate'], models: ['large', 'small'] })).toHaveLength(7);
  expect(await found(index, { from: Date.now() + 60_000 })).toEqual([]);
  expect(await found(index, { from: Date.now() - 60_000, until: Date.now() + 60_000 })).toHaveLength(7);
  const first = await index.find({ text: 'hello' }, 3, null);
  const second = await index.find({ text: 'hello' }, 3, first.next);
  const third = await index.find({ text: 'hello' }, 3, second.next);
  expect([...first.ids, ...second.ids, ...third.ids]).toEqual([...ids].reverse());
  expect(third.next).toBeNull();
});

it('what is removed leaves at once, and what is not to be stored is never found by what was said', async () => {
  const index = opened();
  const gone = await submitOne(store, { body: { input: 'ephemeral' }, metadata: { a: 'b' } });
  const secret = await submitOne(store, { body: { input: 'confidential' }, metadata: { a: 'b' }, forget: true });
  await end(store, gone, { output: 'done' });
  await end(store, secret, { output: 'hush' });
  await current(index);
  expect(await found(index, { text: 'ephemeral' })).toEqual([gone]);
  expect(await found(index, { text: 'confidential' })).toEqual([]);
  expect(await found(index, { text: 'hush' })).toEqual([]);
  expect(await found(index, { metadata: { a: 'b' } })).toEqual([secret, gone]);
  for (const id of [gone, secret]) await removeJob(store, store.queues.get('generate')!, id);
  await current(index);
  expect(await found(index, { text: 'ephemeral' })).toEqual([]);
  expect(await found(index, { metadata: { a: 'b' } })).toEqual([]);
  expect(index.state().jobs).toBe(0);
});

it('an index that has missed changes walks through all jobs again, and drops those that have gone meanwhile', async () => {
  const kept = await submitOne(store, { body: { input: 'kept words' } });
  const gone = await submitOne(store, { body: { input: 'gone words' } });
  await end(store, gone, { output: 'x' });
  const first = opened();
  await current(first);
  expect(await found(first, { text: 'words' })).toEqual([gone, kept]);
  await first.close();
  const queue = store.queues.get('generate')!;
  await removeJob(store, queue, gone);
  const missed = await submitOne(store, { body: { input: 'missed words' } });
  await store.redis.xtrim(queue.keys.changes, 'MAXLEN', 0);
  const last = await submitOne(store, { body: { input: 'last words' } });
  const again = opened();
  await current(again);
  await eventually('the walk has ended', () => again.state().making === null);
  expect(await found(again, { text: 'words' })).toEqual([last, missed, kept]);
});

it('an index goes on where it stopped', async () => {
  const one = await submitOne(store, { body: { input: 'first words' } });
  const first = opened();
  await current(first);
  await first.close();
  const two = await submitOne(store, { body: { input: 'second words' } });
  const again = opened();
  await current(again);
  expect(await found(again, { text: 'words' })).toEqual([two, one]);
});

const FILE = 'jobs.sqlite';
it.each([
  ['deleted', (path: string) => rmSync(path)],
  ['damaged', (path: string) => writeFileSync(path, 'no database at all, '.repeat(5000))],
])('an index that was %s is made again', async (_how, harm) => {
  const id = await submitOne(store, { body: { input: 'lasting' } });
  const first = opened();
  await current(first);
  await first.close();
  harm(join(folder, 'dashboard-index', FILE));
  const again = opened();
  await current(again);
  expect(await found(again, { text: 'lasting' })).toEqual([id]);
});

it('an index of another Redis is made anew', async () => {
  await submitOne(store, { body: { input: 'before' } });
  const index = opened();
  await current(index);
  await store.redis.flushall();
  const id = await submitOne(store, { body: { input: 'after' } });
  await current(index);
  expect(await found(index, { text: 'before' })).toEqual([]);
  expect(await found(index, { text: 'after' })).toEqual([id]);
});

it('two processes on one folder keep an index each', async () => {
  const id = await submitOne(store, { body: { input: 'shared' } });
  const [one, other] = [opened(), opened()];
  await Promise.all([current(one), current(other)]);
  expect(await found(one, { text: 'shared' })).toEqual([id]);
  expect(await found(other, { text: 'shared' })).toEqual([id]);
  expect(readdirSync(join(folder, 'dashboard-index')).filter((name) => name.endsWith('.sqlite'))).toEqual([
    'jobs-2.sqlite',
    FILE,
  ]);
});

it('a folder that cannot be written leaves no index, says why, and fails nothing else', async () => {
  writeFileSync(join(folder, 'dashboard-index'), 'a file in its place');
  const index = opened();
  const trouble = await eventually('it is told', () => index.state().trouble);
  expect(trouble).toContain('EEXIST');
  await expect(index.find({ text: 'x' }, 10, null)).rejects.toMatchObject({ status: 503, code: 'index_unavailable' });
});

it('no more jobs are kept than the bound, nor older ones: the oldest go', async () => {
  const ids: string[] = [];
  for (let i = 0; i < 12; i++) ids.push(await submitOne(store, { body: { input: `number n${i}` } }));
  const few = opened({ ...BOUNDS, jobs: 5 });
  await current(few);
  expect(few.state().jobs).toBe(5);
  expect(await found(few, { text: 'number' })).toEqual([...ids].reverse().slice(0, 5));
  ids.push(await submitOne(store, { body: { input: 'number last' } }));
  await current(few);
  expect(await found(few, { text: 'number' })).toEqual([...ids].reverse().slice(0, 5));
  await few.close();
  const young = opened({ ...BOUNDS, ageMs: 0 });
  await current(young);
  expect(await found(young, { text: 'number' })).toEqual([]);
});

it('failures are told by cause: how many, when, where and which is the newest', async () => {
  const index = opened();
  const from = Date.now() - 3_600_000;
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) ids.push(await submitOne(store, { model: i === 0 ? 'large' : 'small' }));
  for (const id of ids.slice(0, 3)) await failWith(id, 'too_long', 'The prompt is too long.');
  await failWith(ids[3] as string, 'rare', 'Something else.');
  await end(store, ids[4] as string, { output: 'fine' });
  await current(index);
  const span = { from, until: Date.now() + 1000 };
  const { total, finished, cohorts } = await index.cohorts({ ...span, buckets: 4 });
  expect([total, finished]).toEqual([4, 5]);
  expect(cohorts.map(({ code, count }) => [code, count])).toEqual([
    ['too_long', 3],
    ['rare', 1],
  ]);
  const [most] = cohorts;
  expect(most).toMatchObject({
    reason: 'bad_request',
    message: 'The prompt is too long.',
    trend: [0, 0, 0, 3],
    example: ids[2],
    queues: { generate: 3 },
    models: { large: 1, small: 2 },
  });
  expect(await index.jobsOf(most?.cause ?? '', span, 2, false)).toEqual([ids[2], ids[1]]);
  await retryJob(store, ids[2] as string);
  await current(index);
  expect(await index.jobsOf(most?.cause ?? '', span, 2, true)).toEqual([ids[1], ids[0]]);
  const [after] = (await index.cohorts({ ...span, buckets: 4 })).cohorts;
  expect(after).toMatchObject({ count: 3, retried: 1, example: ids[2] });
  expect((await index.cohorts({ ...span, queue: 'extract', buckets: 4 })).total).toBe(0);
  expect(await found(index, { cause: most?.cause ?? '', models: ['large'] })).toEqual([ids[0]]);
});

it('the file is there only where the index was opened, and nothing of it is left open', async () => {
  const index = opened();
  await current(index);
  await index.close();
  expect(existsSync(join(folder, 'dashboard-index', `${FILE}-wal`))).toBe(false);
});
