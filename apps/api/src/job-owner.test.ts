/** Whose a job is, over HTTP: the app as it is, on a real Redis. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { openFiles } from '@millrace/files';
import { addFile, listJobs, newFileId, readBatch, readFlow, readJob, type Store } from '@millrace/queue';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestStore } from '../../../packages/queue/src/testing/store.ts';
import { freshRedis, type TestRedis } from '../../../test/harness/redis.ts';
import { createApp } from './app.ts';

const KEYS = ['ann', 'bob'].map((name) => ({ name, role: 'operator' as const, secret: `secret-of-${name}` }));

let redis: TestRedis;
let store: Store;
let server: Server;
let open: Server;
beforeAll(async () => {
  redis = await freshRedis();
  store = await openTestStore(redis.url, { kind: 'hasty', config: { queues: { generate: { model: 'm' } } } });
  const files = await openFiles(store.config.files, tmpdir());
  server = createServer(createApp(store, KEYS, files, null)).listen(0, '127.0.0.1');
  open = createServer(createApp(store, [], files, null)).listen(0, '127.0.0.1');
  await Promise.all([once(server, 'listening'), once(open, 'listening')]);
});
afterAll(async () => {
  for (const one of [server, open]) {
    one?.closeAllConnections();
    one?.close();
  }
  await store?.close();
  await redis?.dispose();
});

async function post(
  path: string,
  body: unknown,
  { as = 'ann', to = server, headers = {} }: { as?: string; to?: Server; headers?: Record<string, string> } = {},
): Promise<{ id: string }> {
  const response = await fetch(`http://127.0.0.1:${(to.address() as AddressInfo).port}/v1${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer secret-of-${as}`, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  expect(response.ok, text).toBe(true);
  return JSON.parse(text);
}

const keyOf = async (id: string): Promise<string | null | undefined> => (await readJob(store, id))?.job.key;
const JOB = { type: 'generate', request: { input: 'hello' } };

it('a job, a line of NDJSON and a background response are those of the key they came with', async () => {
  expect(await keyOf((await post('/jobs', JOB)).id)).toBe('ann');
  const lines = { as: 'bob', headers: { 'content-type': 'application/x-ndjson' } };
  expect(await keyOf((await post('/jobs', JSON.stringify(JOB), lines)).id)).toBe('bob');
  expect(await keyOf((await post('/responses', { input: 'hi', background: true })).id)).toBe('ann');
});

it('a Chat Completion that is waited for is of the key it came with', async () => {
  const leaving = new AbortController();
  const { port } = server.address() as AddressInfo;
  const asked = fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer secret-of-bob', 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'chat-model', messages: [{ role: 'user', content: 'hi' }] }),
    signal: leaving.signal,
  }).catch(() => null);
  await expect
    .poll(async () => (await listJobs(store, { limit: 100 })).jobs.find(({ model }) => model === 'chat-model')?.key)
    .toBe('bob');
  leaving.abort();
  await asked;
});

it('a retried job is of who retries it, and the first one stays whose it was', async () => {
  const { id } = await post('/jobs', JOB);
  await post(`/jobs/${id}/cancel`, {});
  const again = await post(`/jobs/${id}/retry`, {}, { as: 'bob' });
  expect([await keyOf(id), await keyOf(again.id)]).toEqual(['ann', 'bob']);
});

it('the jobs of a flow are its maker’s, and of a flow that is done again those of who does it', async () => {
  const { id } = await post('/flows', { steps: { one: JOB } });
  const jobsOf = async (flow: string): Promise<(string | null)[]> =>
    (await listJobs(store, { limit: 100 })).jobs.filter((job) => job.flow === flow).map(({ key }) => key);
  expect(await jobsOf(id)).toEqual(['ann']);
  await post(`/flows/${id}/cancel`, {});
  const again = await post(`/flows/${id}/retry`, {}, { as: 'bob' });
  expect(await jobsOf(again.id)).toEqual(['bob']);
  expect((await readFlow(store, id))?.key).toBe('ann');
});

it('a batch keeps the name of the key that made it', async () => {
  const id = newFileId();
  const now = Date.now();
  const record = { filename: 'in.jsonl', purpose: 'batch', bytes: 1, created_at: now, expires_at: now + 60_000 };
  await addFile(store, { ...record, id });
  const asked = { input_file_id: id, endpoint: '/v1/responses', completion_window: '24h' };
  const batch = await post('/batches', asked, { as: 'bob' });
  expect((await readBatch(store, batch.id))?.key).toBe('bob');
});

it('where no keys are configured, a job is nobody’s', async () => {
  expect(await keyOf((await post('/jobs', JOB, { to: open })).id)).toBeNull();
});
