/** Flows: steps that feed steps, over lists and diamonds, through failures, crashes and cancelling. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { call } from '../harness/http.ts';
import { type Stack, startStack } from '../harness/stack.ts';

let stack: Stack;
beforeAll(async () => {
  const model = 'sim-1';
  stack = await startStack({
    workers: 2,
    config: {
      queues: { generate: { model, attempts: 1 }, extract: { model, attempts: 1 }, full: { model, maxWaiting: 1 } },
    },
  });
}, 60_000);
afterAll(() => stack?.stop());

interface StepView {
  status: string;
  total: number;
  completed: number;
  failed: number;
  error: { code: string; message: string } | null;
  usage: { total_tokens: number } | null;
  jobs: { id: string; status: string; output_text: string | null; output_parsed: unknown }[];
}
interface FlowView {
  id: string;
  status: string;
  retry_of: string | null;
  retried_in: string | null;
  steps: Record<string, StepView>;
  error?: { param: string; code: string; message: string };
}
const generate = (input: string, more: object = {}) => ({ type: 'generate', request: { input }, ...more });
const post = async (body: object, path = '') => call<FlowView>('POST', `${stack.api.url}/v1/flows${path}`, body);
const read = async (id: string) => (await call<FlowView>('GET', `${stack.api.url}/v1/flows/${id}`)).body;
const submit = async (steps: object, more: object = {}): Promise<FlowView> => {
  const reply = await post({ steps, ...more });
  expect(reply.status, reply.text).toBe(202);
  return reply.body;
};
const ended = (id: string, ms?: number): Promise<FlowView> =>
  eventually(
    `flow ${id} has ended`,
    async () => {
      const flow = await read(id);
      return flow.status !== 'in_progress' && flow;
    },
    ms,
  );
const statuses = ({ steps }: FlowView) =>
  Object.fromEntries(Object.entries(steps).map(([name, s]) => [name, s.status]));
const textOf = ({ steps }: FlowView, name: string): string => steps[name]?.jobs[0]?.output_text ?? '';
const topics = {
  name: 'topics',
  schema: {
    type: 'object',
    properties: { topics: { type: 'array', items: { type: 'string' } } },
    required: ['topics'],
    additionalProperties: false,
  },
};

describe('a flow', () => {
  it('is a diamond: what two steps said goes into one, which starts when both are over', async () => {
    const { id } = await submit(
      {
        top: generate('[[say:{{input.word}}]]'),
        left: generate('[[say:left of {{steps.top.output_text}}]] [[slow:300]]'),
        right: generate('[[say:right of {{steps.top.output_text}}]]'),
        bottom: generate('[[say:{{steps.left.output_text}} and {{steps.right.output_text}}]]'),
      },
      { name: 'diamond', input: { word: 'milk' } },
    );
    const flow = await ended(id);
    expect(flow.status).toBe('completed');
    expect(textOf(flow, 'bottom')).toBe('left of milk and right of milk');
    expect(flow.steps.bottom?.usage?.total_tokens).toBeGreaterThan(0);
    const { body } = await call<{ data: { id: string; name: string; status: string }[] }>(
      'GET',
      `${stack.api.url}/v1/flows?limit=1`,
    );
    expect(body.data).toMatchObject([{ id, name: 'diamond', status: 'completed' }]);
    const jobs = flow.steps.bottom?.jobs.map((job) => job.id) ?? [];
    expect((await call<{ flow_id: string }>('GET', `${stack.api.url}/v1/jobs/${jobs[0]}`)).body.flow_id).toBe(id);
  });

  it('fans out over a list of any length, and gathers it in its order', async () => {
    const list = Array.from({ length: 250 }, (_, index) => ({ title: `part ${index}` }));
    const { id } = await submit(
      {
        parts: generate('[[say:{{index}}={{item.title}}]]', { for_each: '{{input.list}}' }),
        whole: { type: 'generate', request: { input: 'Join.', instructions: '{{steps.parts.output_text}}' } },
        none: generate('{{item}}', { for_each: [] }),
      },
      { input: { list } },
    );
    const flow = await ended(id);
    expect(statuses(flow)).toEqual({ parts: 'completed', whole: 'completed', none: 'completed' });
    expect(flow.steps.parts).toMatchObject({ total: 250, completed: 250, failed: 0 });
    const whole = await call<{ request: { instructions: string } }>(
      'GET',
      `${stack.api.url}/v1/jobs/${flow.steps.whole?.jobs[0]?.id}`,
    );
    expect(whole.body.request.instructions).toBe(list.map(({ title }, index) => `${index}=${title}`).join('\n\n'));
  });

  it('fans out over what a step has read from a document', async () => {
    const { id } = await submit({
      plan: { type: 'extract', document: 'topics: mills, races, wheels', schema: topics },
      posts: generate('About {{item}}', { for_each: '{{steps.plan.output_parsed.topics}}' }),
    });
    const flow = await ended(id);
    expect(flow.status).toBe('completed');
    const planned = flow.steps.plan?.jobs[0]?.output_parsed as { topics: string[] } | undefined;
    expect(flow.steps.posts?.total).toBe(planned?.topics.length);
  });

  it('may go on from a step’s response', async () => {
    const { id } = await submit({
      first: generate('hello'),
      second: { type: 'generate', request: { input: 'and?', previous_response_id: '{{steps.first.id}}' } },
    });
    expect((await ended(id)).status).toBe('completed');
  });
});

describe('a step that fails', () => {
  const FAILS = '[[fault:failed code=invalid_prompt]] x';

  it('fails its flow, and nothing that has not begun is begun', async () => {
    const { id } = await submit({ bad: generate(FAILS), after: generate('{{steps.bad.output_text}}') });
    const flow = await ended(id);
    expect(flow.status).toBe('failed');
    expect(statuses(flow)).toEqual({ bad: 'failed', after: 'skipped' });
    expect(flow.steps.bad?.error?.code).toBe('invalid_prompt');
  });

  it('with skip leaves out what needs it, and no more', async () => {
    const { id } = await submit({
      bad: generate(FAILS, { on_failure: 'skip' }),
      after: generate('{{steps.bad.output_text}}'),
      beyond: generate('{{steps.after.output_text}}'),
      other: generate('x'),
    });
    const flow = await ended(id);
    expect(flow.status).toBe('completed');
    expect(statuses(flow)).toEqual({ bad: 'failed', after: 'skipped', beyond: 'skipped', other: 'completed' });
  });

  it('with continue is null to what needs it; of a list, those that were answered are gathered', async () => {
    const { id } = await submit({
      bad: generate(FAILS, { on_failure: 'continue' }),
      some: generate('{{item}}', { for_each: ['[[say:one]]', FAILS, '[[say:three]]'], on_failure: 'continue' }),
      after: generate('[[say:{{steps.bad.output_text}}/{{steps.some.output_text}}]]'),
    });
    const flow = await ended(id);
    expect(flow.status).toBe('completed');
    expect(flow.steps.some).toMatchObject({ status: 'failed', total: 3, completed: 2, failed: 1 });
    const after = await call<{ request: { input: string } }>(
      'GET',
      `${stack.api.url}/v1/jobs/${flow.steps.after?.jobs[0]?.id}`,
    );
    expect(after.body.request.input).toBe('[[say:null/one\n\nthree]]');
  });

  it('because a template names what its step did not say is told so, with the place', async () => {
    const { id } = await submit({
      first: generate('x'),
      second: generate('{{steps.first.output_parsed.title}}'),
      third: generate('x', { for_each: '{{steps.first.output_text}}' }),
    });
    const flow = await ended(id);
    expect(flow.status).toBe('failed');
    expect(flow.steps.second?.error).toMatchObject({
      code: 'template_error',
      message: expect.stringContaining("'steps.first.output_parsed' has no 'title'"),
    });
    expect(['failed', 'skipped']).toContain(flow.steps.third?.status);
  });

  it('is done again by a retry, and what was completed is not', async () => {
    const key = { metadata: { key: 'once' } };
    const { id } = await submit({
      good: { type: 'generate', request: { input: '[[say:kept]]', ...key } },
      bad: generate('[[fault:failed code=invalid_prompt x1]] [[say:{{steps.good.output_text}} on]]'),
    });
    expect((await ended(id)).status).toBe('failed');
    const again = await post({}, `/${id}/retry`);
    expect(again.status).toBe(202);
    const flow = await ended(again.body.id);
    expect(flow).toMatchObject({ status: 'completed', retry_of: id });
    expect(textOf(flow, 'bad')).toBe('kept on');
    expect(stack.simulator.ledger().filter((entry) => entry.key === 'once')).toHaveLength(1);
    expect((await read(id)).retried_in).toBe(flow.id);
  });

  it('of a list is done again for those that failed; those that were answered are kept, and paid once', async () => {
    const list = ['[[say:one]]', '[[fault:failed code=invalid_prompt x1]] [[say:two]]', '[[say:three]]'];
    const request = { input: '{{item}}', metadata: { key: 'list' } };
    const { id } = await submit({ each: { type: 'generate', for_each: list, request } });
    expect((await ended(id)).steps.each).toMatchObject({ status: 'failed', completed: 2, failed: 1 });
    const again = await ended((await post({}, `/${id}/retry`)).body.id);
    expect(again.steps.each).toMatchObject({ status: 'completed', total: 3, completed: 3 });
    expect(again.steps.each?.jobs.map(({ output_text }) => output_text)).toEqual(['one', 'two', 'three']);
    const outcomes = stack.simulator.ledger().filter(({ key }) => key === 'list');
    expect(outcomes.filter(({ outcome }) => outcome === 'completed')).toHaveLength(3);
    const { body } = await call<{ data: { output_text: string }[]; has_more: boolean }>(
      'GET',
      `${stack.api.url}/v1/flows/${again.id}/steps/each/jobs?limit=1&after=${again.steps.each?.jobs[0]?.id}`,
    );
    expect(body).toMatchObject({ data: [{ output_text: 'two' }], has_more: true });
  });
});

it('a cancelled flow starts nothing more, and its jobs are cancelled', async () => {
  const { id } = await submit({
    slow: generate('[[slow:20000]] x', { for_each: [1, 2, 3] }),
    after: generate('{{steps.slow.output_text}}'),
  });
  await eventually('it runs', async () =>
    (await read(id)).steps.slow?.jobs.some(({ status }) => status === 'in_progress'),
  );
  expect((await post({}, `/${id}/cancel`)).body.status).toBe('cancelled');
  await eventually('its jobs are', async () => {
    const { steps } = await read(id);
    return steps.slow?.jobs.every(({ status }) => status === 'cancelled');
  });
  expect((await read(id)).steps.after?.total).toBe(0);
  const again = await post({}, `/${id}/retry`);
  expect(again.status).toBe(202);
  await post({}, `/${again.body.id}/cancel`);
  const done = await submit({ only: generate('x') });
  await ended(done.id);
  expect((await post({}, `/${done.id}/cancel`)).status).toBe(409);
});

it('the same key and body is the same flow, another body a conflict; a refused one stores nothing', async () => {
  const steps = { only: generate('x', { request: { input: 'x', metadata: { key: 'keyed' } } }) };
  const [first, second] = await Promise.all([1, 2].map(() => post({ steps, idempotency_key: 'k1' })));
  expect(second?.body.id).toBe(first?.body.id);
  await ended(first?.body.id as string);
  expect(stack.simulator.ledger().filter((entry) => entry.key === 'keyed')).toHaveLength(1);
  expect((await post({ steps: { other: generate('y') }, idempotency_key: 'k1' })).status).toBe(409);
  const jobs = async () =>
    (await call<{ data: { completed: number }[] }>('GET', `${stack.api.url}/v1/queues`)).body.data;
  const before = await jobs();
  const cycle = await post({ steps: { a: generate('{{steps.b.id}}'), b: generate('{{steps.a.id}}') } });
  expect([cycle.status, cycle.body.error?.code]).toEqual([400, 'cyclic_steps']);
  expect(await jobs()).toEqual(before);
  expect((await call('GET', `${stack.api.url}/v1/flows/flow_${'0'.repeat(32)}`)).status).toBe(404);
});

it('a flow of which every worker is killed in the middle goes on, and makes no finished step again', async () => {
  const { id } = await submit({
    first: { type: 'generate', request: { input: '[[say:a]]', metadata: { key: 'first' } } },
    many: {
      ...{ type: 'generate', for_each: Array.from({ length: 40 }, (_, n) => n) },
      request: { input: '[[slow:400]] [[say:{{item}}]] {{steps.first.output_text}}', metadata: { key: 'many' } },
    },
    last: generate('[[say:{{steps.many.output_text}}]]'),
  });
  await eventually('some are done', async () => ((await read(id)).steps.many?.completed ?? 0) >= 5);
  await Promise.all(stack.workers.splice(0).map((worker) => worker.kill()));
  await Promise.all([stack.addWorker(), stack.addWorker()]);
  const flow = await ended(id, 60_000);
  expect(flow.status).toBe('completed');
  const billed = (key: string) => stack.simulator.ledger().filter((entry) => entry.key === key).length;
  expect(billed('first')).toBe(1);
  const jobs = await Promise.all(
    (flow.steps.many?.jobs ?? []).map(async (job) => {
      const { body } = await call<{ attempts: { possibly_billed: boolean }[] }>(
        'GET',
        `${stack.api.url}/v1/jobs/${job.id}`,
      );
      return body.attempts.filter((attempt) => attempt.possibly_billed).length;
    }),
  );
  // What was in flight at the kill may be on the bill twice, and is marked.
  expect(billed('many')).toBeLessThanOrEqual(40 + jobs.reduce((sum, marked) => sum + marked, 0));
}, 90_000);
