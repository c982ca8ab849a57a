/**
 * Whatever is wrong in what the dashboard is asked over HTTP is refused by its name, with what would be right; it is no
 * fault of ours, and nothing comes of it.
 */
import { request as httpRequest } from 'node:http';
import { createLog, newBatchId } from '@millrace/core';
import { queueNamed, readIdentity } from '@millrace/queue';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDashboard, type DashboardTerms } from '../../apps/dashboard/src/app.ts';
import { type DashboardStack, startDashboard, submitOne } from '../harness/dashboard.ts';
import { eventually } from '../harness/eventually.ts';
import { routesOf } from '../harness/express-routes.ts';
import { call } from '../harness/http.ts';

const AREAS = ['session', 'actions', 'audit', 'batches', 'cost', 'failures', 'flows', 'jobs', 'limits', 'queues'];
const LONG = 'x'.repeat(10_000);
const ZEROS = '0'.repeat(32);
const CAUSE = '0'.repeat(16);
/** None of them is a whole number from 1 to 100. */
const NUMBERS = [
  ...['0', '-1', '1.5', '1e1', '0x10', '%2010', '10%20', '999', '9'.repeat(20), 'NaN', 'Infinity', 'abc'],
  ...['__proto__', LONG, '5&=5'],
];
/** No id of anything, as they stand in an address; what is no UTF-8 names nothing at all. */
const IDS = ['x', '__proto__', 'constructor', LONG, '%00', '%0a', '..%2f..%2fetc', '%F0%9F%8C%BE', '*', '{}', '-1'];
const UNREADABLE = ['%', '%zz', '%ff', '%E0%A4%A', '%ed%a0%80'];

let stack: DashboardStack;
let token: string;
let job: string;
beforeAll(async () => {
  stack = await startDashboard();
  const { body } = await call('GET', `${stack.dashboard.url}/api/session`);
  token = String(body.csrf);
  job = await submitOne(stack.store);
  // The index names the data that it is of, soon, whatever is asked: it is named by then.
  await readIdentity(stack.store);
}, 120_000);
afterAll(async () => {
  await stack?.stop();
});

interface Refusal {
  status: number;
  error: { message: string; type: string; param: string | null; code: string } | undefined;
}

/** As it is written: fetch() would mend the address. What begins to stream was not refused. */
function ask(method: string, path: string, body?: string): Promise<Refusal> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(stack.dashboard.url);
    const headers = {
      'x-csrf-token': token,
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
    };
    const request = httpRequest({ hostname, port, method, path, headers, agent: false }, (response) => {
      const status = response.statusCode ?? 0;
      if (status < 400) {
        request.destroy();
        return resolve({ status, error: undefined });
      }
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      response.on('end', () => resolve({ status, error: (JSON.parse(text) as Refusal).error }));
    });
    request.setTimeout(5000, () => request.destroy(new Error(`no answer to ${method} ${path.slice(0, 200)}`)));
    request.on('error', reject).end(body);
  });
}

async function refused(param: string | null, method: string, path: string, body?: string): Promise<Refusal> {
  const reply = await ask(method, path, body);
  const asked = `${method} ${path.slice(0, 200)} ${body?.slice(0, 200) ?? ''}`;
  expect({ asked, ...reply }).toMatchObject({
    asked,
    error: { type: 'invalid_request_error', param, message: expect.stringMatching(/^.{10,600}$/s) },
  });
  expect([400, 404, 413], asked).toContain(reply.status);
  return reply;
}

const gets = async (param: string | null, path: string, values: readonly string[]): Promise<void> => {
  const [, name = ''] = /([\w.]+)=$/.exec(path) ?? [];
  for (const value of values) await refused(param, 'GET', `${path}${value.replace('&=', `&${name}=`)}`);
};

/** What Redis holds, and how much of it. */
async function stored(): Promise<Map<string, number | null>> {
  const { redis } = stack.store;
  const keys = (await redis.keys('*')).sort();
  return new Map(await Promise.all(keys.map(async (key) => [key, await redis.memory('USAGE', key)] as const)));
}

it('in the address of each page of data', async () => {
  const before = await stored();
  const jobs = '/api/jobs?';
  await gets('hours', '/api/failures?hours=', NUMBERS);
  await gets('hours', `/api/failures/${CAUSE}?hours=`, NUMBERS);
  await gets('queue', '/api/failures?queue=', ['nowhere', '__proto__', 'generate&=generate', LONG, '%00']);
  await gets('cause', '/api/failures/', [...IDS, 'ABCDEF0123456789']);
  await gets('days', '/api/cost?days=', NUMBERS);
  await gets('limit', `${jobs}limit=`, NUMBERS);
  await gets('after', `${jobs}after=`, [...IDS, `resp_${'0'.repeat(48)}`, 'a&=b']);
  await gets('after', `${jobs}model=m&after=`, ['x', '-1', '1.5', '1e5', '%201', 'NaN', LONG, '1&=1']);
  await gets('queue', `${jobs}queue=`, ['nowhere', '__proto__', 'generate&=extract', 'generate,extract', LONG]);
  await gets('status', `${jobs}status=`, ['odd', '__proto__', 'failed&=queued', 'failed,queued']);
  await gets('model', `${jobs}model=`, [LONG, 'a&=b']);
  for (const time of ['from', 'until']) {
    await gets(time, `${jobs}${time}=`, ['yesterday', '-1', '1e5', '2026-02-31T00:00Z', '9'.repeat(20), LONG, '1&=2']);
  }
  await gets('text', `${jobs}text=`, [LONG, 'a&=b', 'a*', '...', '%22', 'a%20'.repeat(40)]);
  await gets('meta.a', `${jobs}meta.a=`, [LONG, '1&=2']);
  await gets('meta', `${jobs}${Array.from({ length: 17 }, (_, i) => `meta.k${i}=v`).join('&')}`, ['']);
  await gets('colour', `${jobs}colour=`, ['red']);
  await gets('__proto__', `${jobs}__proto__=`, ['x']);
  await gets('after', '/api/audit?after=', ['x', '1', '-', '1-1&=1-1', `${'9'.repeat(16)}-1`]);
  for (const name of ['who', 'what']) await gets(name, `/api/audit?${name}=`, [LONG, 'a&=b']);
  await gets('after', '/api/batches?after=', [...IDS, `batch_${ZEROS}`, 'a&=b']);
  await gets('after', '/api/flows?after=', [...IDS, `flow_${ZEROS}`, 'a&=b']);
  await gets('part', `/api/jobs/${job}/raw?part=`, ['', 'x', '__proto__', 'request&=output']);
  await gets('cut', `/api/jobs/${job}/raw?part=request&cut=`, ['', 'x', '1&=1']);
  expect(await stored()).toEqual(before);
});

it('in an id, wherever one stands', async () => {
  const before = await stored();
  const areas = [
    { area: 'jobs', known: `resp_${'0'.repeat(48)}`, get: ['', '/events', '/editable', '/raw?part=request'] },
    { area: 'batches', known: `batch_${ZEROS}`, get: ['', '/input', '/output', '/errors'] },
    { area: 'flows', known: `flow_${ZEROS}`, get: ['', '/json', '/steps/a'] },
    { area: 'actions', known: `action_${ZEROS}`, get: [''] },
  ];
  const post: Record<string, string[]> = {
    ...{
      jobs: ['/cancel', '/retry'],
      batches: ['/cancel'],
      flows: ['/cancel', '/retry'],
      actions: ['/stop', '/resume'],
    },
  };
  const each = async (id: string, param: string | null, code?: string): Promise<void> => {
    for (const { area, get } of areas) {
      const asks = [...get.map((rest) => ['GET', rest]), ...(post[area] ?? []).map((rest) => ['POST', rest])];
      for (const [method = '', rest = ''] of asks) {
        const { error } = await refused(param, method, `/api/${area}/${id}${rest}`);
        if (code !== undefined) expect(error?.code).toBe(code);
      }
    }
  };
  for (const { area, known, get } of areas) {
    for (const rest of get) await refused('id', 'GET', `/api/${area}/${known}${rest}`);
    for (const rest of post[area] ?? []) await refused('id', 'POST', `/api/${area}/${known}${rest}`);
    await refused('id', 'GET', `/api/${area}/${known}%20`);
  }
  for (const id of IDS) {
    await each(id, 'id');
    for (const verb of ['pause', 'resume']) await refused('queue', 'POST', `/api/queues/${id}/${verb}`);
    await refused('limit', 'POST', `/api/limits/${id}/resume`);
    await refused('id', 'POST', `/api/jobs/${id}/edit`, '{"model":"m"}');
  }
  for (const id of UNREADABLE) {
    await each(id, null, 'invalid_url');
    for (const path of ['queues/?/pause', 'limits/?/resume', 'failures/?']) {
      await refused(null, path.startsWith('f') ? 'GET' : 'POST', `/api/${path.replace('?', id)}`);
    }
  }
  await gets(null, '/api/', ['', 'nowhere', `jobs/${job}/nothing`, `batches/batch_${ZEROS}/nothing`, LONG]);
  expect(await stored()).toEqual(before);
});

it('in a topic of what is told live', async () => {
  const before = await stored();
  const live = '/api/live?topics=';
  await refused('topics', 'GET', '/api/live');
  await gets('topics', live, ['', ',', ...IDS, 'overview&=history', 'overview,nothing', 'a,b,c,d,e,f,g,h,i']);
  for (const one of ['overview', 'history', 'actions', 'batches', 'flows']) {
    await gets('topics', `${live}${one}:`, ['', '1', '%0adata:%20x']);
  }
  await gets('topics', `${live}cost`, ['', ':', ':abc', ':07', ':7.0', ':8', ':7:7', ':__proto__']);
  for (const [kind, known] of [
    ['job', job],
    ['batch', `batch_${ZEROS}`],
    ['flow', `flow_${ZEROS}`],
    ['action', `action_${ZEROS}`],
  ]) {
    await gets('topics', `${live}${kind}`, [
      '',
      ':',
      ...IDS.map((id) => `:${id}`),
      `:${known}:1`,
      `:${known}%0adata:x`,
    ]);
  }
  await gets('topics', `${live}failures`, ['', ':24', ':24:generate:', ':24:generate:x']);
  await gets('topics', `${live}cohort`, ['', ':24', ':24:generate', `:24:generate:${CAUSE}:x`]);
  for (const kind of ['failures:?:', `cohort:?::${CAUSE}`]) {
    for (const hours of NUMBERS.filter((number) => !number.includes('&'))) {
      await refused('hours', 'GET', `${live}${kind.replace('?', hours)}`);
    }
  }
  await gets('queue', `${live}failures:24:`, ['nowhere', '__proto__', LONG]);
  await gets('cause', `${live}cohort:24:generate:`, ['', ...IDS]);
  expect(await stored()).toEqual(before);
});

it('in what is sent along', async () => {
  const before = await stored();
  const orders = ['/api/actions', '/api/actions/preview'];
  const all = [...orders, `/api/jobs/${job}/edit`, '/api/session'];
  for (const path of all) {
    for (const body of ['{', 'null', '5', '"x"', '{"a":}', '\ud800']) await refused(null, 'POST', path, body);
    const { status, error } = await refused(null, 'POST', path, JSON.stringify({ a: 'x'.repeat(2 * 1024 ** 2) }));
    expect([status, error?.code]).toEqual([413, 'request_too_large']);
    for (const field of ['colour', '__proto__', 'x'.repeat(80)]) {
      await refused(field, 'POST', path, `{"${field}":1}`);
    }
  }
  for (const path of all.slice(0, 3)) await refused(null, 'POST', path, '[]');
  for (const body of ['', '{}', '[]', '{"key":5}', '{"key":" "}', '{"key":["x"]}']) {
    await refused('key', 'POST', '/api/session', body);
  }
  const order = { kind: 'retry', cause: CAUSE };
  const wrong: [param: string, fields: object][] = [
    ...[undefined, 'x', ['retry'], null].map((kind) => ['kind', { kind }] as [string, object]),
    ...[undefined, 5, 'x', null, [CAUSE]].map((cause) => ['cause', { cause }] as [string, object]),
    ...['24h', ' 24', '0x18', -1, [24], true, null, {}, 1e9].map((hours) => ['hours', { hours }] as [string, object]),
    ...[5, ['generate'], 'nowhere', '__proto__', {}].map((queue) => ['queue', { queue }] as [string, object]),
    ...[0, -1, 1e9, 1.5, '5', null, [5]].map((limit) => ['limit', { limit }] as [string, object]),
    ...[5, null, [], {}, 'x'].map((edit) => ['edit', { edit }] as [string, object]),
    ...[{ colour: 1 }, { model: 5 }, { max_output_tokens: -1 }, { replace: 'x' }].map(
      (edit) => [`edit.${Object.keys(edit)[0]}`, { edit }] as [string, object],
    ),
    ['edit', { kind: 'discard', edit: { model: 'm' } }],
  ];
  for (const path of orders) {
    for (const [param, fields] of wrong) await refused(param, 'POST', path, JSON.stringify({ ...order, ...fields }));
  }
  // Nothing is wrong with that, but no job has failed so.
  await refused('cause', 'POST', '/api/actions', JSON.stringify(order));
  for (const edit of [{ model: 5 }, { instructions: [] }, { max_output_tokens: -1 }, { input: 5 }]) {
    await refused(Object.keys(edit)[0] ?? '', 'POST', `/api/jobs/${job}/edit`, JSON.stringify(edit));
  }
  expect(await stored()).toEqual(before);
});

/** What takes nothing that could be wrong. */
const PLAIN = ['DELETE /api/session', 'GET /api/actions', 'GET /api/session'];
/** Asked for above with all that is wrong: whoever adds a route adds its wrong input. */
const ASKED = [
  'GET /api/actions/:id',
  'GET /api/audit',
  'GET /api/batches',
  'GET /api/batches/:id',
  'GET /api/batches/:id/:file',
  'GET /api/cost',
  'GET /api/failures',
  'GET /api/failures/:cause',
  'GET /api/flows',
  'GET /api/flows/:id',
  'GET /api/flows/:id/json',
  'GET /api/flows/:id/steps/:step',
  'GET /api/jobs',
  'GET /api/jobs/:id',
  'GET /api/jobs/:id/editable',
  'GET /api/jobs/:id/events',
  'GET /api/jobs/:id/raw',
  'GET /api/live',
  'POST /api/actions',
  'POST /api/actions/:id/resume',
  'POST /api/actions/:id/stop',
  'POST /api/actions/preview',
  'POST /api/batches/:id/cancel',
  'POST /api/flows/:id/cancel',
  'POST /api/flows/:id/retry',
  'POST /api/jobs/:id/cancel',
  'POST /api/jobs/:id/edit',
  'POST /api/jobs/:id/retry',
  'POST /api/limits/:name/resume',
  'POST /api/queues/:name/pause',
  'POST /api/queues/:name/resume',
  'POST /api/session',
];

it('at every route that there is', () => {
  const store = { ...stack.store, log: createLog('dashboard', 'silent') };
  // Only its routes are asked for.
  const none = {} as Pick<DashboardTerms, 'index' | 'files'>;
  const web = { folder: import.meta.dirname, version: 'x' };
  const { app } = createDashboard({ ...none, store, keys: [], web, apiPort: 7070, unfit: () => null });
  const routes = routesOf(app, [...AREAS.map((area) => `/api/${area}`), '/board'])
    .filter(({ path }) => path.startsWith('/api'))
    .map(({ method, path }) => `${method.toUpperCase()} ${path.replace(/\/$/, '')}`);
  expect([...new Set(routes)].sort()).toEqual([...PLAIN, ...ASKED].sort());
});

it('but what is gone is no wrong input: a page that shows it yet is told so, and keeps its other topics', async () => {
  const { tag } = queueNamed(stack.store, 'generate');
  const [batch, flow] = [`batch:${newBatchId(tag)}`, `flow:flow_${ZEROS}`];
  const gone = new AbortController();
  const reply = await fetch(`${stack.dashboard.url}/api/live?topics=overview,${batch},${flow}`, {
    signal: gone.signal,
  });
  expect(reply.status).toBe(200);
  let said = '';
  const all = [`event: ${batch}\ndata: {"gone":true`, `event: ${flow}\ndata: {"gone":true`, 'event: overview'];
  const reading = reply.body?.pipeThrough(new TextDecoderStream()).getReader();
  await eventually('each topic is told of', async () => {
    said += (await reading?.read())?.value ?? '';
    return all.every((event) => said.includes(event));
  });
  gone.abort();
});
