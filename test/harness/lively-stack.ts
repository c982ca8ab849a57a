/**
 * A whole stack on a busy afternoon, for pages to be looked at: jobs that run, wait, are answered and failed of several
 * causes, a batch half done, a flow on its way, tool calls, extractions, images, a paused queue, a limit in use.
 */

import { causeOf, createLog, loadConfig, readEnvironment } from '@millrace/core';
import { createAction, noteAct, openStore, readAction, readJob, type Store } from '@millrace/queue';
import type { DashboardContents } from './dashboard-pages.ts';
import { eventually } from './eventually.ts';
import { call } from './http.ts';
import { type RoleProcess, startRole } from './processes.ts';
import { finished, type Stack, startStack, submitJob } from './stack.ts';
import { tentPicture } from './tent-picture.ts';

export interface LivelyStack {
  stack: Stack;
  dashboard: RoleProcess;
  contents: DashboardContents;
  /** More jobs worth a look: their ids, by what each shows. */
  sights: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Longer than anybody looks. */
const LASTING = '[[slow:3600000]]';
const TOPICS = [
  ...['a parcel that never came', 'a broken zip on the new tent', 'an invoice made out to the wrong company'],
  ...['a refund that takes too long', 'the difference between two sleeping bags', 'a discount code that is refused'],
] as const;
const TEAMS = ['support', 'shop', 'finance'] as const;
const INVOICE = {
  type: 'object',
  properties: {
    supplier: { type: 'string' },
    number: { type: 'string' },
    total: { type: 'number' },
    currency: { type: 'string', enum: ['EUR', 'USD'] },
  },
  required: ['supplier', 'number', 'total', 'currency'],
  additionalProperties: false,
};
export async function startLivelyStack(): Promise<LivelyStack> {
  const limit = { requestsPerMinute: 900, tokensPerMinute: 120_000, inFlight: 24, models: ['gpt-5-mini', 'gpt-5'] };
  const terms = { limit: 'gpt-5', attempts: 2, backoff: { baseSeconds: 0.1, maxSeconds: 0.2 } };
  const stack = await startStack({
    workers: 2,
    tools: true,
    simulator: { latencyMs: [80, 400], tokensPerSecond: 2000 },
    config: {
      limits: { 'gpt-5': limit, nano: { requestsPerMinute: 60 } },
      queues: {
        generate: { model: 'gpt-5-mini', ...terms },
        extract: { model: 'gpt-5', ...terms },
        nightly: { model: 'gpt-5-nano', limit: 'nano' },
      },
      // What still runs at the end is not waited for.
      worker: { graceSeconds: 0.2 },
    },
  });
  const { contents, sights } = await fill(stack).catch(async (error: unknown) => {
    await stack.stop();
    throw error;
  });
  const dashboard = await startRole('dashboard', stack.env);
  await eventually('the index has its jobs', async () => {
    const { index } = (await call<{ index: { until: number | null } }>('GET', `${dashboard.url}/api/jobs?limit=1`))
      .body;
    return index.until !== null;
  });
  return {
    stack,
    dashboard,
    contents,
    sights,
    stop: async () => {
      await dashboard.stop();
      await stack.stop();
    },
  };
}

async function fill(stack: Stack): Promise<Pick<LivelyStack, 'contents' | 'sights'>> {
  const generate = (input: unknown, more: object = {}, body: object = {}) =>
    submitJob(stack, {
      ...{ type: 'generate', request: { instructions: 'You answer customers of an outdoor shop.', input, ...body } },
      ...more,
    });
  await pauseNightly(stack);
  const prompt = (i: number): string => `Write a friendly answer to a customer who asks about ${TOPICS[i % 6]}. (${i})`;
  const quick = Array.from({ length: 30 }, (_, i) =>
    generate(
      prompt(i),
      { metadata: { team: TEAMS[i % 3], ticket: `T-${4100 + i}` } },
      // The last has no price.
      i % 5 === 0 ? { model: 'gpt-5' } : i === 29 ? { model: 'orchid-2-preview' } : {},
    ),
  );
  const failing = [
    // Twice four calls: ten could open the circuit breaker, and its probe might be a call that lasts.
    ...Array.from({ length: 4 }, (_, i) => generate(`${prompt(i)} [[fault:500]]`, { metadata: { team: 'support' } })),
    ...Array.from({ length: 4 }, (_, i) => generate(`${prompt(i)} [[fault:422]]`)),
    ...Array.from({ length: 3 }, (_, i) => extract(stack, i, ' [[fault:badschema]]')),
    ...Array.from({ length: 2 }, (_, i) => extract(stack, i, ' [[fault:refusal]]')),
  ];
  const tool = { type: 'function', name: 'get_weather' };
  const weather = `What should I pack for Oslo? [[args:get_weather {"city":"Oslo"}]] [[call:get_weather]]`;
  const content = [
    { type: 'input_text', text: 'Which of our tents is this, and what does it weigh?' },
    { type: 'input_image', image_url: tentPicture() },
  ];
  const [job = '', picture = '', ...extracted] = await Promise.all([
    generate(weather, { metadata: { team: 'shop', ticket: 'T-4207' } }, { tools: [tool] }),
    generate([{ role: 'user', content }]),
    ...Array.from({ length: 8 }, (_, i) => extract(stack, i)),
  ]);
  const batch = await startBatch(stack);
  const flow = await startFlow(stack);
  // What goes on and on, and what waits.
  for (let i = 0; i < 6; i++) await generate(`${prompt(i)} ${LASTING}`, { metadata: { team: 'shop' } });
  const streaming = await generate(`${prompt(2)} [[fault:stall]]`, { metadata: { team: 'finance' }, delay_seconds: 1 });
  await askForEvents(stack, streaming);
  for (let i = 0; i < 24; i++) await generate(prompt(i), { queue: 'nightly' });
  const delayed = await Promise.all([0, 1, 2, 3].map((i) => generate(prompt(i), { delay_seconds: 1800 })));
  await call('POST', `${stack.api.url}/v1/jobs/${delayed[3]}/cancel`);
  const ended = await Promise.all([...quick, ...failing]);
  for (const id of [job, picture, ...extracted, ...ended]) await finished(stack, id, 60_000);
  await eventually('half of the batch is done', async () => (await doneOf(stack, batch)) >= 16, 60_000);
  const failedJob = ended[quick.length] ?? '';
  await noteActs(stack, ended.slice(quick.length + 4, quick.length + 8));
  const [extraction = ''] = extracted;
  const sights = { extraction, 'schema-miss': ended.at(-5) ?? '', image: picture, streaming };
  return { contents: { job, failedJob, batch, flow }, sights };
}

/** What people did this afternoon. */
async function noteActs({ env }: Stack, broken: readonly string[]): Promise<void> {
  const [redisUrl = '', config] = [env.REDIS_URL, await loadConfig(readEnvironment(env))];
  const store = await openStore({ redisUrl, config, log: createLog('test', 'silent'), kind: 'patient' });
  const by = (who: string, what: string, target = '', detail = '') =>
    noteAct(store, { who, role: 'operator', what, target, detail });
  try {
    await by('ann', 'session.sign_in', '', 'from 10.4.0.12');
    await by('ann', 'limit.resume', 'gpt-5');
    await noteAct(store, { who: '', role: null, what: 'session.refused', target: '', detail: 'from 10.4.0.77' });
    await by('bo', 'session.sign_in', '', 'from 10.4.0.31');
    await by('ann', 'session.sign_out');
    await retryAll(store, broken, by);
  } finally {
    await store.close();
  }
}

/** A cause is tried again as a whole, by the workers. */
async function retryAll(
  store: Store,
  ids: readonly string[],
  by: (who: string, what: string, target: string, detail: string) => Promise<void>,
): Promise<void> {
  const job = (await readJob(store, ids[0] ?? ''))?.job;
  if (job === undefined) return;
  const { id: cause, code, message } = causeOf(job);
  const what = `${code}: ${message}`;
  const action = await createAction(store, { kind: 'retry', ids, what, cause, edit: null, key: 'bo' });
  await by('bo', 'failures.retry', action, `${ids.length} jobs: ${what}`);
  await eventually('the action is done', async () => (await readAction(store, action))?.status === 'completed', 60_000);
}

/** Whose events somebody wants before its call begins is called as a stream. */
async function askForEvents({ api }: Stack, id: string): Promise<void> {
  const asking = new AbortController();
  await fetch(`${api.url}/v1/responses/${id}?stream=true`, { signal: asking.signal });
  asking.abort();
}

function extract(stack: Stack, i: number, words = ''): Promise<string> {
  const document = `INVOICE\nNorthwind Rope & Canvas\nNumber: NW-20${26 - i}-0${i}17\nTotal: ${(i + 3) * 117}.40 EUR${words}`;
  const schema = { name: 'invoice', schema: INVOICE };
  return submitJob(stack, {
    type: 'extract',
    document,
    schema,
    instructions: 'Read the invoice.',
    metadata: { team: 'finance' },
  });
}

async function pauseNightly({ api }: Stack): Promise<void> {
  await call('POST', `${api.url}/v1/queues/nightly/pause`);
}

async function startBatch({ api }: Stack): Promise<string> {
  const line = (i: number, words: string) => ({
    ...{ custom_id: `review-${i}`, method: 'POST', url: '/v1/responses' },
    body: {
      model: 'gpt-5-mini',
      input: `Is this review friendly? “The tent held in the storm, number ${i}.” ${words}`,
    },
  });
  const lines = Array.from({ length: 32 }, (_, i) => line(i, i < 16 ? '' : i < 18 ? '[[fault:400]]' : LASTING));
  const form = new FormData();
  form.set('purpose', 'batch');
  form.set('file', new Blob([lines.map((one) => JSON.stringify(one)).join('\n')]), 'reviews.jsonl');
  const file = (await (await fetch(`${api.url}/v1/files`, { method: 'POST', body: form })).json()) as { id: string };
  const { body } = await call<{ id: string }>('POST', `${api.url}/v1/batches`, {
    ...{ input_file_id: file.id, endpoint: '/v1/responses', completion_window: '24h' },
    metadata: { name: 'reviews of May' },
  });
  return body.id;
}

async function doneOf({ api }: Stack, batch: string): Promise<number> {
  const { body } = await call<{ request_counts: { completed: number } }>('GET', `${api.url}/v1/batches/${batch}`);
  return body.request_counts.completed;
}

async function startFlow({ api }: Stack): Promise<string> {
  const step = (input: string) => ({ type: 'generate', request: { input } });
  const { body, text } = await call<{ id: string }>('POST', `${api.url}/v1/flows`, {
    name: 'Newsletter of June',
    steps: {
      ideas: step('Name three things that campers ask about in June.'),
      draft: step('Write a newsletter about: {{steps.ideas.output_text}}'),
      subject: step('Write a subject line for: {{steps.ideas.output_text}}'),
      check: step(`Find mistakes in: {{steps.draft.output_text}} {{steps.subject.output_text}} ${LASTING}`),
    },
  });
  if (body.id === undefined) throw new Error(text);
  return body.id;
}
