import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { eventually } from '../../../../test/harness/eventually.ts';
import { call } from '../../../../test/harness/http.ts';
import { type RoleProcess, startRole } from '../../../../test/harness/processes.ts';
import { freshRedis, type TestRedis } from '../../../../test/harness/redis.ts';
import { apiClient, type SubmitLine } from '../api-client.ts';
import { openScreen } from '../screen.ts';
import { type DemoOptions, type DemoOutcome, runDemo } from './demo.ts';
import type { ResultLine } from './results-file.ts';
import type { RunState } from './run-state.ts';

/** Nobody works here: jobs wait until the test ends them. */
let redis: TestRedis;
let api: RoleProcess;
let base: string;
let stop: AbortController;

const PACKAGES = ['alpha', 'beta', 'gamma'];
const SIMULATED = { simulated: true, upstream: 'the simulator' };
const REAL = { simulated: false, upstream: 'http://127.0.0.1:11434/v1 (a model)' };

beforeAll(async () => {
  redis = await freshRedis();
  api = await startRole('api', { REDIS_URL: redis.url });
}, 120_000);
afterAll(async () => {
  await api?.stop();
  await redis?.dispose();
});

beforeEach(() => {
  stop = new AbortController();
  base = mkdtempSync(join(tmpdir(), 'millrace-demo-'));
  for (const name of PACKAGES) {
    const folder = join(base, 'node_modules/.pnpm', `${name}@1.0.0`, 'node_modules', name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{"version":"1.0.0"}');
    writeFileSync(join(folder, 'README.md'), `# ${name}\n\n${'It does a thing. '.repeat(20)}`);
  }
});
afterEach(async () => {
  await cancelAll(await unfinished());
  rmSync(base, { recursive: true, force: true });
});

const runFile = () => join(base, 'demo', 'run.json');
const readRun = async () => JSON.parse(await readFile(runFile(), 'utf8')) as RunState;
const readResults = async () =>
  (await readFile(join(base, 'demo', 'results.jsonl'), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as ResultLine);

async function unfinished(): Promise<string[]> {
  const { body } = await call<{ data: { id: string }[] }>('GET', `${api.url}/v1/jobs?status=queued&limit=100`);
  return body.data.map((job) => job.id);
}

async function cancelAll(ids: readonly (string | null)[]): Promise<void> {
  for (const id of ids) expect((await call('POST', `${api.url}/v1/jobs/${id}/cancel`)).status).toBe(200);
}

/** A demo under way, and what it has said so far. */
function demo(change: Partial<DemoOptions> = {}): { ended: Promise<DemoOutcome>; said: () => string } {
  const stream = new PassThrough();
  let said = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
  });
  const terminal = stream as unknown as NodeJS.WriteStream;
  const ended = runDemo({
    root: base,
    folder: join(base, 'demo'),
    shownFolder: 'demo',
    api: apiClient(api.url, null, stop.signal),
    screen: openScreen(terminal),
    stream: terminal,
    signal: stop.signal,
    origin: SIMULATED,
    ...change,
  });
  // It is awaited where it is expected to fail.
  ended.catch(() => {});
  return { ended, said: () => said };
}

/** The job of each document, once all are submitted and noted. */
function submitted(): Promise<string[]> {
  return eventually('every document has its job', async () => {
    const ids = (await readRun()).documents.map((document) => document.job_id);
    return ids.every((id) => id !== null) && ids;
  });
}

async function interrupted(): Promise<string[]> {
  const { ended } = demo();
  const ids = await submitted();
  stop.abort(new Error('Ctrl-C'));
  await expect(ended).rejects.toThrow('Ctrl-C');
  stop = new AbortController();
  return ids;
}

test('every document becomes a job, and a line of the results; a job that was not answered makes the demo fail', async () => {
  const { ended, said } = demo();
  const ids = await submitted();
  expect(new Set(await unfinished())).toEqual(new Set(ids));
  await cancelAll(ids);
  expect(await ended).toEqual({ ok: false, exampleJob: ids[0] });
  const lines = await readResults();
  expect(lines.map((line) => [line.package, line.job_id, line.status])).toEqual(
    PACKAGES.map((name, index) => [name, ids[index], 'cancelled']),
  );
  expect(said()).toContain('the answers are simulated');
  expect(said()).toContain('0 of 3 done · 3 failed');
  expect(said()).toContain('3 × cancelled');
  expect((await readRun()).finished_at).not.toBe(null);
});

test('interrupted, it goes on with the same jobs and submits none again', async () => {
  const ids = await interrupted();
  await cancelAll(ids.slice(0, 1));
  const { ended, said } = demo();
  await eventually('it has looked back', () => said().includes('resuming the demo: 2 of 3 left'));
  expect(await unfinished()).toHaveLength(2);
  await cancelAll(ids.slice(1));
  await ended;
  expect((await readResults()).map((line) => line.job_id)).toEqual(ids);
});

test('killed before the jobs were noted, it comes to the same jobs', async () => {
  const ids = await interrupted();
  const state = await readRun();
  writeFileSync(
    runFile(),
    JSON.stringify({ ...state, documents: state.documents.map((document) => ({ ...document, job_id: null })) }),
  );
  const { ended } = demo();
  expect(await submitted()).toEqual(ids);
  expect(await unfinished()).toHaveLength(3);
  await cancelAll(ids);
  await ended;
});

test('a job that is gone since is submitted anew', async () => {
  const ids = await interrupted();
  const state = await readRun();
  const [first, ...rest] = state.documents;
  const lost = `${first!.job_id!.slice(0, -8)}00000000`;
  writeFileSync(runFile(), JSON.stringify({ ...state, documents: [{ ...first, job_id: lost }, ...rest] }));
  const { ended } = demo();
  await eventually('the lost job has another', async () => (await readRun()).documents[0]!.job_id !== lost);
  await cancelAll(ids);
  await ended;
  expect((await readResults()).map((line) => line.status)).toEqual(['cancelled', 'cancelled', 'cancelled']);
});

test('a finished run is run again where it costs nothing, and shown again where it would be paid for', async () => {
  const first = demo({ origin: REAL });
  const ids = await submitted();
  expect(first.said()).toContain('calls to http://127.0.0.1:11434/v1 (a model)');
  await cancelAll(ids);
  await first.ended;

  const second = demo({ origin: REAL });
  expect((await second.ended).ok).toBe(false);
  expect(second.said()).toContain('not paid for twice');
  expect(await unfinished()).toEqual([]);

  const third = demo({ origin: SIMULATED });
  const again = await eventually('a new run has its jobs', async () => {
    const open = await unfinished();
    return open.length === 3 && open;
  });
  expect(again.some((id) => ids.includes(id))).toBe(false);
  await cancelAll(again);
  await third.ended;
});

test('what a full queue sheds is submitted once there is room', async () => {
  const config = join(base, 'millrace.config.json');
  writeFileSync(config, JSON.stringify({ queues: { extract: { maxWaiting: PACKAGES.length } } }));
  const small = await startRole('api', { REDIS_URL: redis.url, MILLRACE_CONFIG: config });
  const schema = { type: 'object', properties: {}, required: [], additionalProperties: false };
  const other = await call<{ id: string }>('POST', `${small.url}/v1/jobs`, {
    type: 'extract',
    document: 'It takes up room.',
    schema: { name: 'nothing', schema },
  });
  expect(other.status).toBe(202);
  const client = apiClient(small.url, null, stop.signal);
  const answers: SubmitLine[][] = [];
  const { ended } = demo({
    api: {
      ...client,
      submitJobs: async (jobs) => {
        const lines = await client.submitJobs(jobs);
        answers.push(lines);
        return lines;
      },
    },
  });
  const [shed] = await eventually('a batch was answered', () => answers.length > 0 && answers);
  expect(shed).toHaveLength(PACKAGES.length);
  // There is room for all but one.
  expect(shed!.map((line) => 'error' in line)).toEqual([...PACKAGES.slice(1).map(() => false), true]);
  await cancelAll([other.body.id]);
  await cancelAll(await submitted());
  await ended;
  expect((await readResults()).map((line) => line.status)).toEqual(['cancelled', 'cancelled', 'cancelled']);
  await small.stop();
});

test('with no README to be found it says so, and does not count as done', async () => {
  const { ended, said } = demo({ root: join(base, 'nowhere') });
  expect(await ended).toEqual({ ok: false, exampleJob: null });
  expect(said()).toContain('no README was found');
});
