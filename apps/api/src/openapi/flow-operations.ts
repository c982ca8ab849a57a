/** The routes of flows. */
import { FlowRequest } from '@millrace/core';
import { Anything, FlowObject, pageOf } from './objects.ts';
import type { Operation } from './operation.ts';
import { AFTER, IDEMPOTENCY, NOT_FOUND, number } from './operation-parts.ts';

export const flowOperations: readonly Operation[] = [
  {
    ...{ method: 'post', path: '/v1/flows', tag: 'Flows', summary: 'Submit steps that feed one another' },
    description:
      'Each step is a body of POST /v1/jobs, with templates: {{steps.NAME.output_text}} (or output_parsed, id, status), {{input.…}}. A step with for_each is a job for each of a list, with {{item}} and {{index}}.',
    headers: IDEMPOTENCY,
    body: { content: { 'application/json': { schema: FlowRequest } } },
    answer: { status: 202, description: 'It is on disk, and its first steps are queued.', schema: FlowObject },
    errors: { 409: 'The idempotency key stands for another flow.', 429: 'A queue is full.' },
  },
  {
    ...{ method: 'get', path: '/v1/flows', tag: 'Flows', summary: 'List flows, newest first' },
    query: { limit: number('At most.', 1, 100), after: AFTER },
    answer: { status: 200, description: 'Flows, without their jobs.', schema: pageOf(FlowObject) },
  },
  {
    ...{
      method: 'get',
      path: '/v1/flows/{id}',
      tag: 'Flows',
      summary: 'Read a flow: its steps, their jobs and outputs',
    },
    answer: { status: 200, description: 'As it is now.', schema: FlowObject },
    errors: NOT_FOUND,
  },
  {
    ...{ method: 'get', path: '/v1/flows/{id}/steps/{step}/jobs', tag: 'Flows', summary: 'List the jobs of a step' },
    query: { limit: number('At most.', 1, 100), after: AFTER },
    answer: { status: 200, description: 'In the order of its list, with outputs.', schema: pageOf(Anything) },
    errors: NOT_FOUND,
  },
  {
    ...{ method: 'post', path: '/v1/flows/{id}/cancel', tag: 'Flows', summary: 'Cancel a flow and its jobs' },
    answer: { status: 200, description: 'No step starts any more.', schema: FlowObject },
    errors: { ...NOT_FOUND, 409: 'It has ended already.' },
  },
  {
    ...{ method: 'post', path: '/v1/flows/{id}/retry', tag: 'Flows', summary: 'Do it again from what failed' },
    answer: { status: 202, description: 'A new flow; completed steps are not done again.', schema: FlowObject },
    errors: { ...NOT_FOUND, 409: 'It has not ended.' },
  },
];
