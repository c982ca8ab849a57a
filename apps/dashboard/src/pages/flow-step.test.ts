import type { JobStatus, StepState } from '@millrace/core';
import { expect, it } from 'vitest';
import { flowStepPage, type StepView } from './flow-step.ts';

const HOSTILE = `"'><script>alert(1)</script>`;
const STATE = { status: 'in_progress', total: 3 } as StepState;
const page = (view: Partial<StepView>): string =>
  flowStepPage(
    {
      flow: { id: 'flow_1', name: 'Digest', status: 'in_progress' },
      step: 'parts',
      state: STATE,
      counts: new Map(),
      jobs: [],
      ...view,
    },
    'v1',
  );

it('jobs are told by place, status and error, and lead to their pages; of many it is said how many there are', () => {
  const markup = page({
    state: { ...STATE, total: 10_000 },
    counts: new Map<JobStatus | null, number>([
      ['completed', 9998],
      ['failed', 1],
      [null, 1],
    ]),
    jobs: [
      { index: 4711, id: 'resp_1', status: 'failed', error: { code: 'refusal', message: 'Not this.' } },
      { index: 0, id: 'resp_0', status: null, error: null },
    ],
  });
  for (const part of [
    ...['href="/flows/flow_1"', 'good">completed</span> 9,998', '2 of 10,000 jobs are listed', '4,711'],
    ...['href="/jobs/resp_1"', 'bad">failed', '<code>refusal</code> <bdi>Not this.</bdi>', 'gone</span>'],
  ]) {
    expect(markup).toContain(part);
  }
});

it('a step without jobs says so, and a whole list does not speak of a part', () => {
  expect(page({ state: { ...STATE, status: 'waiting', total: 0 } })).toContain('It has no jobs yet.');
  const jobs = [{ index: 0, id: 'resp_1', status: 'queued' as const, error: null }];
  expect(page({ state: { ...STATE, total: 1 }, jobs })).not.toContain('are listed');
});

it('hostile text stays text', () => {
  const markup = page({
    flow: { id: HOSTILE, name: HOSTILE, status: HOSTILE as never },
    step: HOSTILE,
    counts: new Map([[HOSTILE as JobStatus, 1]]),
    jobs: [{ index: 0, id: HOSTILE, status: HOSTILE as never, error: { code: HOSTILE, message: HOSTILE } }],
  });
  expect(markup).not.toContain('<script>');
});
