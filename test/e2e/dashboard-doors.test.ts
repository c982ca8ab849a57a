/** The doors of the dashboard: who gets in, by which name, and that nothing can be changed from here. */
import { request as httpRequest } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseFlow } from '@millrace/core';
import { createFlow } from '@millrace/queue';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DashboardStack, startDashboard, submitOne } from '../harness/dashboard.ts';
import { spawnRole, startRole } from '../harness/processes.ts';

const ROOT = join(import.meta.dirname, '..', '..');

let stack: DashboardStack;
beforeAll(async () => {
  stack = await startDashboard();
}, 120_000);
afterAll(() => stack?.stop());

/** A flow of one step, which waits for ever. */
async function makeFlow(): Promise<string> {
  const { store } = stack;
  const job = { type: 'generate', webhook_url: 'https://hooks.example/secret-token', request: { input: 'x' } };
  return (await createFlow(store, parseFlow(store.config, { steps: { only: job } }), null)).id;
}

const basic = (password: string): string => `Basic ${Buffer.from(`me:${password}`).toString('base64')}`;

const status = async (path: string, init: RequestInit = {}, of = stack.dashboard): Promise<number> => {
  const response = await fetch(`${of.url}${path}`, { ...init, signal: AbortSignal.timeout(10_000) });
  await response.body?.cancel();
  return response.status;
};

/** fetch() sets the Host header itself. */
function statusForHost(url: string, host: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { headers: { host }, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    request.on('error', reject).end();
  });
}

it('every mutating route of bull-board is closed, and does nothing', async () => {
  const { appRoutes } = createRequire(join(ROOT, 'apps', 'dashboard', 'package.json'))(
    '@bull-board/api/dist/routes.js',
  ) as { appRoutes: { api: { method: string | string[]; route: string | string[] }[] } };
  const id = await submitOne(stack.store, { delayMs: 3_600_000 });
  const routes = appRoutes.api.flatMap(({ method, route }) =>
    [method].flat().flatMap((verb) => [route].flat().map((path) => ({ verb, path }))),
  );
  const mutating = routes.filter(({ verb }) => verb !== 'get');
  expect(mutating.length).toBeGreaterThan(15);
  for (const { verb, path } of mutating) {
    const filled = path
      .replace(':queueName', 'generate')
      .replace(':jobId', id)
      .replace(':queueStatus', 'delayed')
      .replace(':schedulerId', 'x');
    const init = { method: verb.toUpperCase(), headers: { 'content-type': 'application/json' }, body: '{}' };
    expect(await status(`/board${filled}`, init), `${verb} ${path}`).toBe(405);
  }
  const queue = stack.store.queues.get('generate')!;
  expect(await queue.bull.isPaused()).toBe(false);
  expect(await queue.bull.getJob(id)).toBeDefined();
  expect(await queue.bull.getDelayedCount()).toBe(1);
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    for (const path of ['/', '/events', `/jobs/${id}`, '/flows', `/flows/${id}`, `/flows/${id}/cancel`])
      expect(await status(path, { method }), method).toBe(405);
  }
});

it('bull-board loads a bounded number of jobs, however many it is asked for', async () => {
  for (let i = 0; i < 120; i++)
    await submitOne(stack.store, { queue: 'extract', type: 'extract', body: { document: 'd', schema: 's' } });
  for (const query of ['status=latest', 'status=prioritized']) {
    const response = await fetch(
      `${stack.dashboard.url}/board/api/queues?activeQueue=extract&jobsPerPage=100000&${query}`,
    );
    const { queues } = (await response.json()) as { queues: { name: string; jobs: unknown[] }[] };
    const { jobs } = queues.find(({ name }) => name === 'extract')!;
    expect(jobs.length).toBeGreaterThan(0);
    expect(jobs.length).toBeLessThanOrEqual(100);
  }
});

it('our pages run no inline script, are not framed, sniffed, cached or embedded, and open no door by CORS', async () => {
  const id = await submitOne(stack.store);
  const flow = await makeFlow();
  const ours = ['/', `/jobs/${id}`, `/jobs/${id}.json`, '/flows', `/flows/${flow}`, `/flows/${flow}/steps/only`];
  for (const path of [...ours, '/nowhere', '/board/']) {
    const { headers } = await fetch(`${stack.dashboard.url}${path}`, { headers: { origin: 'https://evil.example' } });
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy, path).toContain("default-src 'none'");
    expect(policy, path).toContain("script-src 'self';");
    expect(policy, path).toContain("frame-ancestors 'none'");
    if (path !== '/board/') expect(policy, path).not.toContain('unsafe');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('access-control-allow-origin')).toBeNull();
    expect(headers.get('x-powered-by')).toBeNull();
  }
  for (const path of ['/events', '/events/flows', `/events/flows/${flow}`]) {
    expect(await status(path, { headers: { 'sec-fetch-site': 'cross-site' } }), path).toBe(403);
  }
});

it('without keys only a loopback Host is answered', async () => {
  const evil = await statusForHost(`${stack.dashboard.url}/`, 'evil.example:7071');
  expect(evil.status).toBe(403);
  expect(evil.body).toContain('MILLRACE_API_KEYS');
  expect((await statusForHost(`${stack.dashboard.url}/`, 'localhost:7071')).status).toBe(200);
});

it('with keys set, everything but the probes asks for one, and a viewer’s is enough', async () => {
  const locked = await startRole('dashboard', {
    ...stack.env,
    MILLRACE_API_KEYS: 'ops:operator:op-secret,eyes:viewer:see',
  });
  try {
    const id = await submitOne(stack.store);
    const flow = await makeFlow();
    const paths = [
      '/',
      '/events',
      '/flows',
      '/events/flows',
      `/flows/${flow}`,
      `/flows/${flow}.json`,
      `/flows/${flow}/steps/only`,
      `/events/flows/${flow}`,
      `/jobs/${id}`,
      `/jobs/${id}.json`,
      '/board/',
      '/board/api/queues',
      '/public/dashboard.css',
    ];
    for (const path of paths) {
      expect(await status(path, {}, locked), path).toBe(401);
      expect(await status(path, { headers: { authorization: basic('wrong') } }, locked), path).toBe(401);
      for (const secret of ['op-secret', 'see']) {
        expect(await status(path, { headers: { authorization: basic(secret) } }, locked), path).toBe(200);
      }
    }
    const { headers } = await fetch(`${locked.url}/`);
    expect(headers.get('www-authenticate')).toMatch(/^Basic realm=/);
    expect(await status('/healthz', {}, locked)).toBe(200);
    expect(await status('/readyz', {}, locked)).toBe(200);
    // Behind a key the name does not matter: a proxy's is welcome.
    expect((await statusForHost(`${locked.url}/healthz`, 'dash.example')).status).toBe(200);
  } finally {
    await locked.stop();
  }
});

it('the raw JSON of a job is whole, but for the webhook’s address; an unknown id is a 404', async () => {
  const id = await submitOne(stack.store, {
    webhookUrl: 'https://hooks.example/secret-token',
    body: { input: 'x'.repeat(200_000) },
  });
  const response = await fetch(`${stack.dashboard.url}/jobs/${id}.json`);
  const text = await response.text();
  expect(JSON.parse(text)).toMatchObject({
    id,
    status: 'queued',
    body: { input: 'x'.repeat(200_000) },
    answer: null,
  });
  expect(text).not.toContain('secret-token');
  for (const unknown of [`resp_${'0'.repeat(48)}`, `${id.slice(0, -1)}x`, 'nope', '%00', '%3Cscript%3E', '..%2f..']) {
    expect(await status(`/jobs/${unknown}`), unknown).toBe(404);
    expect(await status(`/jobs/${unknown}.json`), unknown).toBe(404);
  }
  expect(await status('/jobs/%E0%A4%A')).toBe(404);
});

it('the raw JSON of a flow has no webhook’s address; an unknown flow or step is a 404', async () => {
  const flow = await makeFlow();
  const text = await (await fetch(`${stack.dashboard.url}/flows/${flow}.json`)).text();
  expect(JSON.parse(text)).toMatchObject({ id: flow, status: 'in_progress', definition: { steps: { only: {} } } });
  expect(text).not.toContain('secret-token');
  for (const unknown of [`flow_${'0'.repeat(32)}`, 'nope', '%00', '%3Cscript%3E', '..%2f..']) {
    for (const path of [`/flows/${unknown}`, `/flows/${unknown}.json`, `/events/flows/${unknown}`]) {
      expect(await status(path), path).toBe(404);
    }
  }
  for (const step of ['other', '__proto__', '%3Cscript%3E']) {
    expect(await status(`/flows/${flow}/steps/${step}`), step).toBe(404);
  }
});

it('a port that is taken is said in plain words, and SIGTERM ends the process with 0', async () => {
  const taken = spawnRole('dashboard', { ...stack.env, MILLRACE_DASHBOARD_PORT: new URL(stack.dashboard.url).port });
  expect(await taken.process.exited).toBe(1);
  expect(taken.process.lines.join('\n')).toContain('set MILLRACE_DASHBOARD_PORT to another one');
  const other = await startRole('dashboard', stack.env);
  const stream = await fetch(`${other.url}/events`);
  expect(await other.stop()).toBe(0);
  await stream.body?.cancel().catch(() => undefined);
});
