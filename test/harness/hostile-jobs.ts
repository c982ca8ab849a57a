/** Script payloads in every field that a user or a model can fill: jobs, a batch and a flow made of them. */
import { type JobError, parseFlow, type ResponseObject } from '@millrace/core';
import {
  beginAttempt,
  createAction,
  createBatch,
  createFlow,
  noteAct,
  type Store,
  settleAttempt,
  writeToolOutput,
  writeTurn,
} from '@millrace/queue';
import { end, submitOne } from './dashboard.ts';
import type { DashboardContents } from './dashboard-pages.ts';

/** What would have run sets `window.hit`, or loads something from here. */
export const FOREIGN_HOST = 'foreign.invalid';
/** Seen wherever a payload is shown as the text that it is. */
export const SHOWN = 'window.hit=1';

const PAYLOADS = [
  `</pre>"'><script>window.hit=1</script>`,
  '<img src=x onerror="window.hit=1">',
  '<svg onload="window.hit=1"><a xlink:href="javascript:window.hit=1"><text>svg</text></a></svg>',
  '<iframe srcdoc="<script>parent.hit=1</script>"></iframe>',
  '<a href="javascript:window.hit=1">html link</a> [link](javascript:window.hit=1) <javascript:window.hit=1>',
  '[data](data:text/html,<script>window.hit=1</script>) [vb](vbscript:window.hit=1) [case](JaVaScRiPt:window.hit=1)',
  `![image](https://${FOREIGN_HOST}/pixel.png) ![inline](data:image/svg+xml,<svg%20onload=window.hit=1>)`,
  `<style>@import "https://${FOREIGN_HOST}/x.css";</style><link rel=stylesheet href=https://${FOREIGN_HOST}/x.css>`,
  `<form action="javascript:window.hit=1"><button>go</button></form><base href="https://${FOREIGN_HOST}/">`,
  `[ref]: javascript:window.hit=1\n[ref]\n\n\`\`\`html\n<script>window.hit=1</script>\n\`\`\``,
  `\u202Eright to left\u202C \u0000 \uD800 {{constructor.constructor('window.hit=1')()}} \${window.hit=1}`,
];
export const HOSTILE = PAYLOADS.join('\n\n');
const NAME = '<img src=x onerror="window.hit=1">';
/** As the name of an API key, which holds neither colon nor comma. */
export const HOSTILE_KEY = '<img src=x onerror=window.hit=1>';

export async function makeHostile(store: Store): Promise<DashboardContents> {
  const metadata = { [NAME]: HOSTILE };
  const generate = store.queues.get('generate');
  if (generate === undefined) throw new Error('there is no queue generate');
  const batch = await createBatch(store, {
    ...{ queue: generate, endpoint: '/v1/responses', inputFileId: NAME, completionWindow: '24h', windowMs: 86_400_000 },
    ...{ priority: 5, metadata, key: NAME, outputExpiresSeconds: null, idempotency: null },
  });
  const common = { metadata, model: NAME, webhookUrl: `https://${FOREIGN_HOST}/${NAME}` };
  const content = [
    { type: 'input_text', text: HOSTILE },
    { type: 'input_image', image_url: `https://${FOREIGN_HOST}/image.png` },
    { type: 'input_image', image_url: 'javascript:window.hit=1' },
  ];
  const body = {
    instructions: HOSTILE,
    input: [
      { role: 'user', content },
      { role: NAME, content: HOSTILE },
    ],
    tools: [{ type: 'function', name: NAME, description: HOSTILE, parameters: { [NAME]: HOSTILE } }],
    text: { format: { type: 'json_schema', name: NAME, schema: { [NAME]: HOSTILE } } },
    [NAME]: HOSTILE,
  };
  const place = { id: batch.id, place: 1, customId: NAME, chat: false };
  const job = await submitOne(store, { ...common, body, batch: place });
  await takeTurn(store, job);
  await end(store, job, { output: HOSTILE });
  const failedJob = await submitOne(store, { ...common, body, batch: { ...place, place: 2 } });
  await tryInVain(store, failedJob);
  const error = { code: NAME, message: HOSTILE, param: NAME, details: { [NAME]: HOSTILE } } as unknown as JobError;
  await end(store, failedJob, { error });
  const extraction = { document: HOSTILE, schema: { name: NAME, schema: { [NAME]: HOSTILE } }, instructions: HOSTILE };
  const extract = { ...common, queue: 'extract', type: 'extract' as const, body: extraction };
  await end(store, await submitOne(store, extract), {
    output: HOSTILE,
    parsed: { [NAME]: [HOSTILE, { [NAME]: NAME }] },
  });
  // One that waits, and one that runs.
  await submitOne(store, { ...common, body, delayMs: 3_600_000 });
  await beginAttempt(store, generate, await submitOne(store, { ...common, body }), { worker: NAME });
  const flow = await makeFlow(store);
  const what = `${NAME} ${HOSTILE}`;
  // No worker carries it out.
  const action = {
    kind: 'retry',
    ids: [failedJob],
    what,
    cause: null,
    edit: { instructions: HOSTILE },
    key: NAME,
  } as const;
  await createAction(store, action);
  await noteAct(store, { who: NAME, role: 'operator', what: 'job.cancel', target: NAME, detail: HOSTILE });
  return { job, failedJob, batch: batch.id, flow };
}

async function makeFlow(store: Store): Promise<string> {
  // Words that are no template are refused.
  const text = HOSTILE.replaceAll('{{', '{ {');
  const request = {
    input: `${text} {{steps.first.output_text}}`,
    instructions: text,
    metadata: { key: text.slice(0, 500) },
  };
  const steps = {
    first: { type: 'generate', request: { input: text } },
    second: { type: 'generate', request },
  };
  const named = { name: NAME, input: { [NAME]: HOSTILE }, metadata: { [NAME]: HOSTILE.slice(0, 500) } };
  return (await createFlow(store, parseFlow(store.config, { steps, ...named }), null)).id;
}

/** An attempt that is to be made again, with all that its worker may have to say of it. */
async function tryInVain(store: Store, id: string): Promise<void> {
  const queue = store.queues.get('generate');
  if (queue === undefined) throw new Error('there is no queue generate');
  const begun = await beginAttempt(store, queue, id, { worker: NAME });
  if (begun.kind !== 'begun') throw new Error(begun.kind);
  const error = { code: NAME, message: HOSTILE };
  const again = { afterMs: 0, countsAsAttempt: true, possiblyBilled: true } as const;
  const log = (['info', 'warn', 'error'] as const).map((level) => ({ at: begun.startedAt, level, text: HOSTILE }));
  const reply = await settleAttempt(
    store,
    queue,
    id,
    begun.epoch,
    { kind: 'retry', reason: 'upstream_error', error, ...again, upstreamId: NAME },
    0,
    { log },
  );
  if (reply !== 'written') throw new Error(reply);
}

/** An attempt that called tools, and was lost after that. */
async function takeTurn(store: Store, id: string): Promise<void> {
  const queue = store.queues.get('generate');
  if (queue === undefined) throw new Error('there is no queue generate');
  const begun = await beginAttempt(store, queue, id, { worker: NAME });
  if (begun.kind !== 'begun') throw new Error(begun.kind);
  const output = [
    { type: 'reasoning', id: NAME, summary: [{ type: 'summary_text', text: HOSTILE }] },
    {
      type: 'message',
      id: NAME,
      role: 'assistant',
      content: [{ type: 'output_text', text: HOSTILE, annotations: [] }],
    },
    { type: 'function_call', id: NAME, call_id: NAME, name: NAME, arguments: HOSTILE },
    { type: NAME, id: NAME, action: { url: `https://${FOREIGN_HOST}/` } },
  ] as unknown as NonNullable<ResponseObject['output']>;
  const misses = [{ path: NAME, problem: HOSTILE }];
  const turn = { number: 1, at: Date.now(), upstream_id: NAME, usage: null, output, misses, tools: {} };
  await writeTurn(store, queue, id, begun.epoch, turn);
  await writeToolOutput(store, queue, id, begun.epoch, {
    ...{ number: 1, callKey: NAME },
    output: { output: HOSTILE, failed: true, ms: 5 },
  });
}
