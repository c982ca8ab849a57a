import type { FlowStatus, FlowStep, StepState, StepStatus } from '@millrace/core';
import type { Flow } from '@millrace/queue';
import { expect, it } from 'vitest';
import type { FlowNow } from '../flow-reader.ts';
import { flowPage, flowRegions } from './flow.ts';
import { flowJson } from './flow-json.ts';

const ID = `flow_${'ab'.repeat(16)}`;
const HOSTILE = `</pre></details>"'><script>alert(1)</script><img src=x onerror=alert(1)>`;
const USAGE = {
  input_tokens: 1000,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 20,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 1020,
};
const STATE: StepState = {
  ...{ status: 'waiting', total: 0, completed: 0, failed: 0, each: false, error: null, usage: null, madeBy: ID },
};
const STEP: FlowStep = { needs: [], onFailure: 'fail', job: { type: 'generate' } };

function flowNow(
  steps: Record<string, Partial<StepState> & { step?: Partial<FlowStep> }>,
  more: { flow?: Partial<Flow>; name?: string | null; now?: Partial<FlowNow> } = {},
): FlowNow {
  const entries = Object.entries(steps);
  const flow: Flow = {
    id: ID,
    status: 'in_progress',
    created_at: 1000,
    finished_at: null,
    definition: {
      name: more.name ?? null,
      metadata: null,
      input: null,
      steps: Object.fromEntries(entries.map(([name, { step }]) => [name, { ...STEP, ...step }])),
    },
    steps: Object.fromEntries(entries.map(([name, { step: _, ...state }]) => [name, { ...STATE, ...state }])),
    retry_of: null,
    retried_in: null,
    ...more.flow,
  };
  return { at: 5000, trouble: null, flow, counts: new Map(), onlyJobs: new Map(), ...more.now };
}
const page = (now: FlowNow, input: unknown = null): string => flowPage(now, input, 'v1');
const card = (now: FlowNow, step = 'a'): string => flowRegions(now).get(`step:${step}`)?.toString() ?? '';

it('a flow is told with name, status, times, tokens, steps that are over, origin and input', () => {
  const markup = page(
    flowNow(
      { a: { status: 'completed', usage: USAGE }, b: { status: 'failed', usage: USAGE }, c: { status: 'skipped' } },
      { name: 'Digest', flow: { status: 'failed', finished_at: 63_000, retry_of: 'flow_before' } },
    ),
    { list: [1] },
  );
  for (const part of [
    ...['<bdi>Digest</bdi>', ID, 'class="badge bad">failed', '1970-01-01 00:00:01 UTC', '1970-01-01 00:01:03 UTC'],
    ...['1 min 2 s', '2,000 in, 40 out', '3 of 3', 'href="/flows/flow_before"', '&quot;list&quot;'],
    ...[`href="/flows/${ID}.json"`, `data-events="/events/flows/${ID}"`],
  ]) {
    expect(markup).toContain(part);
  }
});

it.each<[StepStatus, FlowStatus, string]>([
  ['waiting', 'in_progress', '<span class="badge ">waiting'],
  ['in_progress', 'in_progress', '<span class="badge active">in_progress'],
  ['completed', 'in_progress', '<span class="badge good">completed'],
  ['failed', 'in_progress', '<span class="badge bad">failed'],
  ['skipped', 'failed', '<span class="badge ">skipped'],
  ['waiting', 'cancelled', '<span class="badge ">cancelled'],
  ['in_progress', 'cancelled', '<span class="badge ">cancelled'],
  ['completed', 'cancelled', '<span class="badge good">completed'],
])('a step that is %s in a flow that is %s says so', (status, flowStatus, badge) => {
  expect(card(flowNow({ a: { status } }, { flow: { status: flowStatus } }))).toContain(badge);
});

it.each<[FlowStatus, string]>([
  ['in_progress', 'active'],
  ['completed', 'good'],
  ['failed', 'bad'],
  ['cancelled', ''],
])('a flow that is %s says so', (status, tone) => {
  const regions = flowRegions(flowNow({ a: {} }, { flow: { status } }));
  expect(regions.get('status')?.toString()).toBe(`<span class="badge ${tone}">${status}</span>`);
});

it('what can be done to a flow is a command for the API, and only what can be', () => {
  const action = (status: FlowStatus) =>
    flowRegions(flowNow({ a: {} }, { flow: { status } }))
      .get('action')
      ?.toString();
  expect(action('in_progress')).toContain(`curl -X POST http://127.0.0.1:7070/v1/flows/${ID}/cancel</code>`);
  expect(action('failed')).toContain(`/v1/flows/${ID}/retry</code>`);
  expect(action('cancelled')).toContain(`/v1/flows/${ID}/retry</code>`);
  expect(action('completed')).toBe('');
});

it('a step counts its jobs as they end, and once it is over; a large one counts those that have ended', () => {
  const going = (total: number, counts: object) =>
    card(flowNow({ a: { status: 'in_progress', total } }, { now: { counts: new Map([['a', counts as never]]) } }));
  expect(going(5, { ended: 3, completed: 2, failed: 1 })).toContain('2 of 5 done · <span class="bad">1 failed');
  expect(going(10_000, { ended: 7312, completed: null, failed: null })).toContain('7,312 of 10,000 ended');
  const over = card(flowNow({ a: { status: 'failed', total: 5, completed: 4, failed: 1, usage: USAGE } }));
  expect(over).toContain('4 of 5 done · <span class="bad">1 failed');
  expect(over).toContain('1,000 in, 20 out');
  expect(card(flowNow({ a: {} }))).not.toMatch(/done|ended|jobs?</);
});

it('a step leads to its job, or to the list of them, and names what it needs and what its failure does', () => {
  const one = flowNow({ a: { status: 'completed', total: 1 } }, { now: { onlyJobs: new Map([['a', 'resp_1']]) } });
  expect(card(one)).toContain('href="/jobs/resp_1"');
  expect(card(flowNow({ a: { status: 'completed', total: 7 } }))).toContain(`href="/flows/${ID}/steps/a">Its 7 jobs`);
  const needy = flowNow({ a: {}, b: {}, c: { step: { needs: ['a', 'b'], onFailure: 'skip', forEach: [] } } });
  expect(card(needy, 'c')).toContain('after <a href="#step-a">a</a>, <a href="#step-b">b</a>');
  expect(card(needy, 'c')).toContain('for each of a list; if it fails, what needs it is left out');
  expect(card(flowNow({ a: { step: { onFailure: 'continue' } } }))).toContain('if it fails, the flow goes on');
});

it('every region the server sends has its place in the page, and every place its region', () => {
  const now = flowNow({ a: {}, b: { step: { needs: ['a'] } } });
  const places = [...page(now).matchAll(/data-live="([^"]*)"/g)].map(([, name]) => name);
  expect(places.sort()).toEqual([...flowRegions(now).keys()].sort());
});

it('what did not change is the same region, whatever the time', () => {
  const [one, later] = [0, 9e9].map((at) => flowRegions(flowNow({ a: { status: 'in_progress' } }, { now: { at } })));
  expect([...one!].map(String)).toEqual([...later!].map(String));
});

it('a flow that is gone, and a Redis that is away, are told in words', () => {
  const trouble = (kind: FlowNow['trouble']) =>
    flowRegions(flowNow({ a: {} }, { now: { trouble: kind } }))
      .get('trouble')
      ?.toString();
  expect(trouble('gone')).toContain('not kept any more');
  expect(trouble('unreachable')).toContain('Redis cannot be reached');
  expect(trouble(null)).toBe('');
});

it('hostile text in every field stays text', () => {
  const markup = page(
    flowNow(
      {
        a: {
          ...{ status: HOSTILE as StepStatus, total: 1, error: { code: HOSTILE, message: HOSTILE } },
          step: { job: { type: HOSTILE } },
        },
        [HOSTILE]: { status: 'failed', total: 2, step: { needs: [HOSTILE] } },
      },
      {
        name: HOSTILE,
        flow: { status: HOSTILE as FlowStatus, retry_of: HOSTILE, id: HOSTILE },
        now: { onlyJobs: new Map([['a', HOSTILE]]) },
      },
    ),
    { [HOSTILE]: HOSTILE },
  );
  expect(markup).not.toMatch(/<script(?! defer src="\/public\/)|<img src=x/);
  expect(markup).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
});

it('a flow of a hundred steps, with long errors, stays light', () => {
  const error = { code: 'c', message: 'm'.repeat(100_000) };
  const steps = Object.fromEntries(
    Array.from({ length: 100 }, (_, n) => [`step-${n}`, { status: 'failed' as const, total: 10_000, error }]),
  );
  expect(page(flowNow(steps), 'i'.repeat(1_000_000)).length).toBeLessThan(300_000);
});

it('the JSON of a flow is whole, but for the addresses of webhooks, which may carry a secret', () => {
  const job = { type: 'generate', webhook_url: 'https://hooks.example/secret-token', request: { input: 'x' } };
  const json = JSON.stringify(flowJson(flowNow({ a: { step: { job } } }).flow));
  expect(json).toContain('"request":{"input":"x"}');
  expect(json).not.toContain('secret-token');
});
