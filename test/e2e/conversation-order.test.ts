/** Conversations that live upstream: jobs of one are called in order, those of different ones side by side. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { asked } from '../harness/audited.ts';
import { eventually } from '../harness/eventually.ts';
import { call, submitLines } from '../harness/http.ts';
import { finished, readJob, type Stack, startStack, submitJob } from '../harness/stack.ts';

let stack: Stack;
let audit: string;
beforeAll(async () => {
  audit = await mkdtemp(join(tmpdir(), 'millrace-audit-'));
  stack = await startStack({
    workers: 2,
    config: {
      queues: {
        generate: { model: 'sim-1', backoff: { baseSeconds: 0.5, maxSeconds: 0.5 } },
        extract: { model: 'sim-1' },
      },
      audit: { directory: audit },
    },
  });
}, 60_000);
afterAll(async () => {
  await stack?.stop();
  await rm(audit, { recursive: true, force: true });
});

const job = (conversation: unknown, input: string, more: object = {}) => ({
  ...{ type: 'generate', request: { input, conversation } },
  ...more,
});
const submit = (...terms: Parameters<typeof job>) => submitJob(stack, job(...terms));
interface Run {
  from: number;
  to: number;
}
const runs = async (id: string): Promise<Run[]> =>
  (await finished(stack, id)).attempts.map((one) => ({ from: one.started_at, to: one.finished_at ?? Number.NaN }));
const inOrder = (all: readonly Run[]): boolean => all.slice(1).every(({ from }, at) => from >= (all[at] as Run).to);

it.each(['conv_1', { id: 'conv_2' }])(
  'the upstream gets the conversation as it was given: %j',
  async (conversation) => {
    const id = await submit(conversation, 'hello');
    expect((await finished(stack, id)).status).toBe('completed');
    expect(await asked(audit, id)).toMatchObject([{ conversation, input: 'hello' }]);
  },
);

it('one conversation is called in the order of submission, whatever the priorities; two run side by side', async () => {
  const names = ['conv_ada', 'conv_bob'];
  const turns = [0, 1, 2, 3];
  const lines = turns.flatMap((turn) =>
    names.map((name) => job(name, `[[slow:250]] ${name} ${turn}`, { priority: 9 - turn })),
  );
  const ids = (await submitLines(stack.api.url, lines)).map(({ id }) => id as string);
  const [ada = [], bob = []] = await Promise.all(
    names.map(async (_, which) => (await Promise.all(turns.map((turn) => runs(ids[2 * turn + which] ?? '')))).flat()),
  );
  // Waiting for its turn uses up no attempt.
  expect([ada.length, bob.length]).toEqual([turns.length, turns.length]);
  expect([inOrder(ada), inOrder(bob)]).toEqual([true, true]);
  expect(ada[0]?.from).toBeLessThan(bob.at(-1)?.from as number);
  expect(bob[0]?.from).toBeLessThan(ada.at(-1)?.from as number);
});

it('who waits says for whom; a job that is tried again keeps its place', async () => {
  const first = await submit('conv_retry', '[[slow:400]] [[fault:500 x1]] first');
  const second = await submit('conv_retry', 'second');
  await eventually('it tells what it waits for', async () => {
    const { waiting_for: waiting } = (await readJob(stack, second)) as { waiting_for: { reason: string } | null };
    return waiting?.reason === 'conversation';
  });
  const tried = await runs(first);
  expect(tried).toHaveLength(2);
  expect(inOrder([...tried, ...(await runs(second))])).toBe(true);
});

it('a job that fails, is cancelled or late holds up nobody behind it', async () => {
  const failed = await submit('conv_ends', '[[slow:300]] [[fault:400]] no');
  const late = await submit('conv_ends', 'late', { delay_seconds: 60, deadline: new Date(Date.now() + 1500) });
  const cancelled = await submit('conv_ends', 'unwanted', { delay_seconds: 3600 });
  const last = await submit('conv_ends', 'last');
  await call('POST', `${stack.api.url}/v1/jobs/${cancelled}/cancel`);
  const ends = await Promise.all([failed, late, cancelled, last].map((id) => finished(stack, id)));
  expect(ends.map(({ status }) => status)).toEqual(['failed', 'failed', 'cancelled', 'completed']);
  expect(ends[1]?.error?.code).toBe('deadline_exceeded');
});
