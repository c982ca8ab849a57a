import type { StepState } from '@millrace/core';
import type { Flow } from '@millrace/queue';
import { expect, it } from 'vitest';
import type { FlowList } from '../flow-reader.ts';
import { flowListPage, flowListRegions } from './flow-list.ts';

const HOSTILE = `"'><script>alert(1)</script>`;
const FLOW: Flow = {
  id: `flow_${'ab'.repeat(16)}`,
  status: 'in_progress',
  created_at: 1000,
  finished_at: null,
  definition: { name: 'Digest', metadata: null, input: null, steps: {} },
  steps: Object.fromEntries(
    ['completed', 'completed', 'failed', 'skipped', 'in_progress', 'waiting'].map((status, index) => [
      `s${index}`,
      { status } as StepState,
    ]),
  ),
  retry_of: null,
  retried_in: null,
};
const page = (list: Partial<FlowList>, isFirst = true): string =>
  flowListPage({ at: 1, trouble: null, flows: [FLOW], more: false, ...list }, isFirst, 'v1');

it('each flow is told with name, status, steps and times, and leads to its page', () => {
  const ended: Flow = { ...FLOW, status: 'failed', finished_at: 4400, definition: { ...FLOW.definition, name: null } };
  const markup = page({ flows: [FLOW, ended] });
  for (const part of [
    ...[`<a href="/flows/${FLOW.id}"><bdi>Digest</bdi></a>`, `<span class="id">${FLOW.id}</span>`, '3.4 s'],
    ...['2 of 6 completed', '1 failed', '1 skipped', '1 in progress', 'badge active">in_progress', 'badge bad">failed'],
  ]) {
    expect(markup).toContain(part);
  }
});

it('the newest are live, older ones are a link away and stay as they are', () => {
  expect(page({})).toContain('data-events="/events/flows"');
  expect(page({})).not.toContain('Older flows');
  expect(page({ more: true })).toContain(`href="/flows?after=${FLOW.id}">Older flows`);
  expect(page({}, false)).not.toContain('data-events');
  const places = [...page({}).matchAll(/data-live="([^"]*)"/g)].map(([, name]) => name);
  const list: FlowList = { at: 1, trouble: null, flows: [], more: false };
  expect(places).toEqual([...flowListRegions(list).keys()]);
});

it('no flow at all, and a Redis that is away, are told in words', () => {
  expect(page({ flows: [] })).toContain('POST /v1/flows');
  expect(page({ trouble: 'unreachable' })).toContain('Redis cannot be reached');
});

it('hostile text stays text', () => {
  const hostile: Flow = { ...FLOW, id: HOSTILE, status: HOSTILE as never };
  const markup = page({ flows: [{ ...hostile, definition: { ...FLOW.definition, name: HOSTILE } }], more: true });
  expect(markup).not.toContain('<script>');
});
