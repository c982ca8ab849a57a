/** No log line holds a key, a prompt, a document or an answer; the audit log holds them whole, and only when asked for. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { call } from '../harness/http.ts';
import { finished, type Stack, startStack, submitJob } from '../harness/stack.ts';

const CALLER = 'caller-secret-0123456789';
const VIEWER = 'viewer-secret-0123456789';
const PROMPT = 'the-prompt-nobody-may-read';
const operator = { authorization: `Bearer ${CALLER}` };

let stack: Stack;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-audit-'));
  stack = await startStack({
    config: {
      queues: { generate: { attempts: 2, backoff: { baseSeconds: 0.05, maxSeconds: 0.1 }, model: 'sim-1' } },
      audit: { directory: join(folder, 'audit') },
    },
    env: { MILLRACE_API_KEYS: `ops:operator:${CALLER},eye:viewer:${VIEWER}`, MILLRACE_LOG_LEVEL: 'trace' },
  });
}, 60_000);
afterAll(async () => {
  await stack?.stop();
  await rm(folder, { recursive: true, force: true });
});

it('keys and roles: none is 401, a wrong one is 401, a viewer may look and not change, probes need none', async () => {
  const job = { type: 'generate', request: { input: 'x' } };
  const codes = async (headers: Record<string, string>): Promise<number[]> => [
    (await call('GET', `${stack.api.url}/v1/jobs`, undefined, headers)).status,
    (await call('GET', `${stack.api.url}/metrics`, undefined, headers)).status,
    (await call('POST', `${stack.api.url}/v1/jobs`, job, headers)).status,
    (await call('POST', `${stack.api.url}/v1/queues/generate/pause`, undefined, headers)).status,
    (await call('POST', `${stack.api.url}/v1/queues/generate/resume`, undefined, headers)).status,
  ];
  expect(await codes({})).toEqual([401, 401, 401, 401, 401]);
  expect(await codes({ authorization: 'Bearer nope' })).toEqual([401, 401, 401, 401, 401]);
  expect(await codes({ authorization: `Basic ${CALLER}` })).toEqual([401, 401, 401, 401, 401]);
  expect(await codes({ authorization: `Bearer ${VIEWER}` })).toEqual([200, 200, 403, 403, 403]);
  expect(await codes(operator)).toEqual([200, 200, 202, 200, 200]);
  expect((await call('GET', `${stack.api.url}/healthz`)).status).toBe(200);
  expect((await call('GET', `${stack.api.url}/readyz`)).status).toBe(200);
});

it('after good jobs, bad ones and refused ones no log line holds a secret, and the audit file holds the pairs', async () => {
  const submit = async (input: string): Promise<string> => {
    const reply = await call<{ id: string }>(
      'POST',
      `${stack.api.url}/v1/jobs`,
      { type: 'generate', request: { input } },
      operator,
    );
    return reply.body.id;
  };
  const ids = [
    await submit(`${PROMPT} good`),
    await submit(`[[fault:400]] ${PROMPT}`),
    await submit(`[[fault:500]] ${PROMPT}`),
    await submit(`[[fault:403]] ${PROMPT}`),
  ];
  const jobs: Awaited<ReturnType<typeof finishedAs>>[] = [];
  for (const id of ids) {
    jobs.push(await finishedAs(id));
  }
  await call('POST', `${stack.api.url}/v1/jobs`, `{"type":"generate","request":{"input":"${PROMPT}`, operator);
  await call('POST', `${stack.api.url}/v1/jobs`, { type: 'generate', request: { [PROMPT]: 1 } }, operator);

  await stack.workers[0]?.stop();
  const answer = jobs[0]?.result?.output_text ?? 'none';
  const log = [...stack.api.lines, ...(stack.workers[0]?.lines ?? [])];
  expect(log.length).toBeGreaterThan(6);
  for (const secret of ['sk-simulated', CALLER, VIEWER, PROMPT, answer]) {
    expect(log.filter((line) => line.includes(secret))).toEqual([]);
  }
  for (const id of ids) {
    const line = log.find((one) => one.includes(id) && one.includes('attempt ended'));
    expect(JSON.parse(line ?? '{}')).toMatchObject({ role: 'worker', job_id: id, queue: 'generate', attempt: 1 });
  }

  const files = await readdir(join(folder, 'audit'));
  const audit = (await Promise.all(files.map((file) => readFile(join(folder, 'audit', file), 'utf8')))).join('');
  const entries = audit
    .trim()
    .split('\n')
    .map(
      (line) =>
        JSON.parse(line) as { job_id: string; request: { input: string }; response: { output: unknown } | null },
    );
  const good = entries.find((entry) => entry.job_id === ids[0]);
  expect(good?.request.input).toContain(PROMPT);
  expect(JSON.stringify(good?.response)).toContain(answer.slice(0, 20));
  expect(audit).not.toContain('sk-simulated');
});

it('without being asked for, no audit file is written', async () => {
  const plain = await startStack({ env: { CWD: folder } });
  await finished(plain, await submitJob(plain, { type: 'generate', request: { input: PROMPT } }));
  await plain.stop();
  const left = await readdir(folder);
  expect(left).toEqual(['audit']);
});

async function finishedAs(id: string) {
  return eventually('the job is finished', async () => {
    const { body } = await call<{ status: string; result: { output_text: string } | null }>(
      'GET',
      `${stack.api.url}/v1/jobs/${id}`,
      undefined,
      operator,
    );
    return ['completed', 'failed'].includes(body.status) && body;
  });
}
