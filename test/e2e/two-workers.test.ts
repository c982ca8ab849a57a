/** Two worker processes on one queue whose upstream fails now and then: every job is answered, and answered once. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { call, submitLines } from '../harness/http.ts';
import { type JobView, type Stack, startStack } from '../harness/stack.ts';

const JOBS = 2000;
let stack: Stack;

beforeAll(async () => {
  stack = await startStack({
    workers: 2,
    config: {
      queues: {
        generate: { model: 'sim-1', concurrency: 50, attempts: 10, backoff: { baseSeconds: 0.2, maxSeconds: 2 } },
      },
    },
    simulator: {
      seed: 7,
      latencyMs: [5, 40],
      faults: [
        { kind: '500', probability: 0.02 },
        // Each closes the limit for all, so that how long it says is most of how long the test takes.
        { kind: '429', probability: 0.015, afterSeconds: 0.2 },
        { kind: 'reset', probability: 0.015 },
      ],
    },
  });
}, 60_000);
afterAll(() => stack?.stop());

it('2,000 jobs with 5 % injected 500s, 429s and resets: 2,000 completed, 0 failed, none answered twice', async () => {
  const lines = Array.from({ length: JOBS }, (_, i) => ({
    type: 'generate',
    request: { input: `Job number ${i}`, metadata: { key: `job-${i}` } },
    metadata: { n: String(i) },
  }));
  const ids = (await submitLines(stack.api.url, lines)).map(({ id }) => id);
  expect(new Set(ids).size).toBe(JOBS);

  await eventually(
    'every job has its outcome',
    async () => {
      const { body } = await call<{ data: { jobs: { waiting: number; delayed: number; active: number } }[] }>(
        'GET',
        `${stack.api.url}/v1/queues`,
      );
      const jobs = body.data[0]?.jobs;
      return jobs !== undefined && jobs.waiting + jobs.delayed + jobs.active === 0;
    },
    90_000,
  );

  const jobs: JobView[] = [];
  for (let after = ''; ; ) {
    const { body } = await call<{ data: JobView[]; last_id: string; has_more: boolean }>(
      'GET',
      `${stack.api.url}/v1/jobs?limit=100${after}`,
    );
    jobs.push(...body.data);
    if (!body.has_more) break;
    after = `&after=${body.last_id}`;
  }
  expect(jobs).toHaveLength(JOBS);
  expect(jobs.filter((job) => job.status !== 'completed')).toEqual([]);
  for (const job of jobs) expect(job.attempts.filter(({ outcome }) => outcome === 'completed')).toHaveLength(1);
  expect(new Set(jobs.map((job) => job.metadata?.n)).size).toBe(JOBS);

  // The ledger is the upstream's own: what it did work for, whoever asked.
  const ledger = stack.simulator.ledger();
  expect(ledger).toHaveLength(JOBS);
  expect(new Set(ledger.map(({ key }) => key)).size).toBe(JOBS);

  // The faults really happened, each kind, and both workers really worked.
  const retries = jobs.flatMap((job) =>
    job.attempts.filter(({ outcome }) => outcome === 'retry').map(({ reason }) => reason),
  );
  expect(new Set(retries)).toEqual(new Set(['upstream_error', 'rate_limited', 'connection']));
  expect(retries.length).toBeGreaterThan(JOBS * 0.03);
  expect(new Set(jobs.map((job) => job.attempts.at(-1)?.worker)).size).toBe(2);
}, 120_000);
