import type { Attempt, Job } from '@millrace/core';
import { expect, it } from 'vitest';
import { INPUT_ITEMS, TEXT_CHARACTERS } from '../bounds.ts';
import { jobPage } from './job.ts';

const ID = `resp_${'ab'.repeat(24)}`;
const HOSTILE = `</pre></details>"'><script>alert(1)</script><img src=x onerror=alert(1)>\u202e&amp;`;

const ATTEMPT: Attempt = {
  number: 1,
  worker: 'mill:1',
  started_at: 1000,
  finished_at: 4456,
  outcome: 'retry',
  reason: 'rate_limited',
  error: { code: 'rate_limit_exceeded', message: 'Slow down.' },
  upstream_id: null,
  api: null,
  usage: null,
  possibly_billed: true,
  counted: true,
};

const JOB: Job = {
  id: ID,
  queue: 'generate',
  type: 'generate',
  status: 'queued',
  model: 'gpt-5',
  priority: 5,
  created_at: 1000,
  started_at: null,
  finished_at: null,
  delayed_until: null,
  deadline: null,
  metadata: null,
  webhook_url: 'https://hooks.example/secret-token',
  retry_of: null,
  forget: false,
  cache: null,
  follows: null,
  answered_by: null,
  flow: null,
  turns: 0,
  tool_calls: null,
  batch: null,
  error: null,
  usage: null,
  attempts: [],
  body: { input: 'hello' },
};

const page = (job: Partial<Job>, answer: Parameters<typeof jobPage>[0]['answer'] = null): string =>
  jobPage({ job: { ...JOB, ...job }, answer }, { waitingFor: null, turns: [], now: 61_000, version: 'v1' });

/** Every element name that stands in a page. */
const elements = (markup: string): Set<string> =>
  new Set([...markup.matchAll(/<\/?([a-z!][^\s>/]*)/gi)].map(([, name]) => (name ?? '').toLowerCase()));

it('hostile text in every field stays text', () => {
  const usage = {
    input_tokens: 1,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 1,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 2,
  };
  const hostileJob: Partial<Job> = {
    queue: HOSTILE,
    model: HOSTILE,
    retry_of: HOSTILE,
    answered_by: HOSTILE,
    flow: HOSTILE,
    tool_calls: { [HOSTILE]: 1 },
    status: 'failed',
    finished_at: 2000,
    usage,
    metadata: { [HOSTILE]: HOSTILE },
    error: { code: HOSTILE, message: HOSTILE, param: HOSTILE, upstream_status: 400, details: { [HOSTILE]: [HOSTILE] } },
    attempts: [
      {
        ...ATTEMPT,
        worker: HOSTILE,
        reason: HOSTILE as Attempt['reason'],
        outcome: HOSTILE as Attempt['outcome'],
        error: { code: HOSTILE, message: HOSTILE },
      },
    ],
  };
  const answer = {
    response: { id: 'r', object: 'response' as const, incomplete_details: { reason: HOSTILE } },
    output_text: HOSTILE,
    usage,
  };
  const benign = elements(
    page(
      { ...JOB, error: { code: 'c', message: 'm', details: {} }, metadata: { k: 'v' }, attempts: [ATTEMPT] },
      answer,
    ) + page({ type: 'extract', body: { document: 'd'.repeat(9999), schema: 's' }, retry_of: ID, deadline: 1 }),
  );
  for (const markup of [
    page({ ...hostileJob, body: { instructions: HOSTILE, input: HOSTILE, [HOSTILE]: HOSTILE } }, answer),
    page({
      ...hostileJob,
      body: { input: [{ role: HOSTILE, content: HOSTILE }, { [HOSTILE]: HOSTILE }, HOSTILE, null] },
    }),
    page({
      ...hostileJob,
      type: 'extract',
      body: { document: HOSTILE, images: [HOSTILE], schema: HOSTILE, instructions: HOSTILE },
    }),
    page({
      ...hostileJob,
      type: 'extract',
      body: { document: HOSTILE, schema: { name: HOSTILE, schema: { [HOSTILE]: 1 } } },
    }),
    page(hostileJob, { ...answer, output_parsed: { [HOSTILE]: HOSTILE } }),
  ]) {
    expect([...elements(markup)].filter((name) => !benign.has(name))).toEqual([]);
    expect(markup).not.toMatch(/<script(?! defer src="\/public\/)/);
    expect(markup).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  }
});

it('a long text is folded and cut, with the whole behind a link', () => {
  const markup = page({ type: 'extract', body: { document: `${'x'.repeat(TEXT_CHARACTERS)}THE END`, schema: 's' } });
  expect(markup).not.toContain('THE END');
  expect(markup).toContain('7 more characters are not shown');
  expect(markup).toContain(`href="/jobs/${ID}.json"`);
  expect(markup).toMatch(/<details class="text"><summary><h3>Document<\/h3>/);
  expect(markup.length).toBeLessThan(TEXT_CHARACTERS + 10_000);
});

it('a conversation is shown by its messages, and its length is bounded', () => {
  const input = [
    {
      role: 'user',
      content: [
        { type: 'input_text', text: 'one' },
        { type: 'input_text', text: 'two' },
      ],
    },
    { role: 'user', content: [{ type: 'input_image', image_url: 'https://elsewhere.example/x.png' }] },
    ...Array.from({ length: INPUT_ITEMS }, (_, index) => ({ role: 'assistant', content: `answer ${index}` })),
  ];
  const markup = page({ body: { input } });
  expect(markup).toContain('one\n\ntwo');
  expect(markup).toContain('2 more items');
  expect(markup).not.toContain('<img src="https://elsewhere');
});

it('an extraction’s images are named, never fetched, and shown by their beginning', () => {
  const images = ['https://elsewhere.example/scan.png', `data:image/png;base64,${'iVBO'.repeat(1000)}THEEND==`];
  const markup = page({ type: 'extract', body: { images, schema: 's' } });
  expect(markup).toContain('https://elsewhere.example/scan.png');
  expect(markup).toContain('data:image/png;base64,iVBO');
  expect(markup).not.toContain('THEEND');
  expect(markup).not.toMatch(/<img[^>]+elsewhere|<h3>Document/);
});

it('attempts tell what they took, what they came to and whether they may be on the bill', () => {
  const markup = page({
    attempts: [ATTEMPT, { ...ATTEMPT, number: 2, finished_at: null, outcome: null, counted: false }],
  });
  expect(markup).toContain('3.4 s');
  expect(markup).toContain('rate_limited');
  expect(markup).toContain('possibly');
  expect(markup).toContain('running');
});

it('a structured answer is shown parsed, an incomplete one with its reason', () => {
  const response = { id: 'r', object: 'response' as const };
  expect(page({}, { response, output_text: '{"a":1}', output_parsed: { a: 1 }, usage: null })).toContain(
    '{\n  &quot;a&quot;: 1\n}',
  );
  const cut = { ...response, incomplete_details: { reason: 'max_output_tokens' } };
  expect(page({ status: 'incomplete' }, { response: cut, output_text: 'half', usage: null })).toContain(
    '<code>max_output_tokens</code>',
  );
});

it('the webhook’s address, which may carry a secret, is not shown', () => {
  expect(page({})).not.toContain('secret-token');
});

it('a waiting job says what for', () => {
  const waiting = { reason: 'limit', until: 64_200, message: 'tokens of <gpt-5>, 3.2 s' } as const;
  const markup = jobPage({ job: JOB, answer: null }, { waitingFor: waiting, turns: [], now: 61_000, version: 'v1' });
  expect(markup).toContain('<dt>Waits for</dt><dd>tokens of &lt;gpt-5&gt;, 3.2 s</dd>');
  expect(page({})).not.toContain('Waits for');
});

it('a job tells whose call it shared, which flow it is of, and which tools the upstream ran', () => {
  const markup = page({ answered_by: 'resp_1', flow: 'flow_1', tool_calls: { web_search_call: 2 } });
  expect(markup).toContain('href="/jobs/resp_1">resp_1</a> at no cost');
  expect(markup).toContain('href="/flows/flow_1">flow_1</a>');
  expect(markup).toContain('web_search_call × 2');
  expect(page({})).not.toMatch(/at no cost|Flow<|Tools the upstream ran|Calls before the last/);
});

it('tokens read from the upstream’s cache are told, of the job and of each call', () => {
  const usage = {
    input_tokens: 1200,
    input_tokens_details: { cached_tokens: 1024 },
    output_tokens: 34,
    output_tokens_details: { reasoning_tokens: 12 },
    total_tokens: 1234,
  };
  const markup = page({ usage, attempts: [{ ...ATTEMPT, usage }] });
  expect(markup).toContain('1,200 in (1,024 cached), 34 out (12 reasoning)');
  expect(markup).toContain('1,024 cached</small>');
});
