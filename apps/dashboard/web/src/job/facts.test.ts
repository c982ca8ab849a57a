/** That a job's facts link to all that the job belongs to, rendered. */
import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { expect, it } from 'vitest';
import { Router } from 'wouter';
import type { JobPageView } from '../../../src/views/job.ts';
import { Facts } from './facts.tsx';

const [RETRIED, AGAIN, CALLED, SHARED, BEFORE] = ['a', 'b', 'c', 'd', 'e'].map((one) => `resp_${one.repeat(48)}`);
const NOTHING = {
  ...{ id: 'resp_1', type: 'generate', queue: 'a queue', model: 'gpt-5', priority: 5, usage: null, cost_usd: null },
  ...{ created_at: 1000, finished_at: null, deadline: null, tool_calls: null, key: null, metadata: null },
  ...{ retry_of: null, retried_as: null, answered_by: null, follows: null, flow: null, step: null, batch: null },
  ...{ goes_on_from: null, conversation: null, has_webhook: false, forget: false },
} as unknown as JobPageView;
const markupOf = (job: Partial<JobPageView>): string => {
  const children = createElement(Facts, { job: { ...NOTHING, ...job } });
  return renderToStaticMarkup(createElement(Router, { ssrPath: '/jobs/resp_1', children }));
};
const linksIn = (markup: string): string[] => [...markup.matchAll(/ href="([^"]*)"/g)].map(([, href = '']) => href);

it('a job links to its queue, its flow and step, its batch, what it was made of and made into, and what it goes on from', () => {
  const markup = markupOf({
    ...{ retry_of: RETRIED as string, retried_as: AGAIN as string, answered_by: CALLED as string },
    ...{ follows: SHARED as string, goes_on_from: { id: BEFORE as string, ours: true }, conversation: 'conv_1' },
    ...{ flow: 'flow_1', step: 'sum/up', batch: { id: 'batch_1', custom_id: 'line-7' } },
  });
  expect(linksIn(markup)).toEqual([
    ...['/jobs?queue=a%20queue', `/jobs/${RETRIED}`, `/jobs/${AGAIN}`, `/jobs/${CALLED}`, `/jobs/${SHARED}`],
    ...[`/jobs/${BEFORE}`, '/flows/flow_1', '/flows/flow_1?step=sum%2Fup', '/batches/batch_1'],
  ]);
  for (const told of ['conv_1', 'line-7']) expect(markup).toContain(told);
});

it('a job that belongs to nothing links to its queue only; what is not ours is named and not linked', () => {
  expect(linksIn(markupOf({}))).toEqual(['/jobs?queue=a%20queue']);
  const markup = markupOf({ goes_on_from: { id: 'resp_elsewhere', ours: false }, flow: 'flow_1' });
  expect(markup).toContain('resp_elsewhere');
  expect(linksIn(markup)).toEqual(['/jobs?queue=a%20queue', '/flows/flow_1']);
});
