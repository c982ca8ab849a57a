/** The doors of the dashboard: who gets in, by which name, what each may change, and what is noted of it. */
import { createServer, request as httpRequest, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createLog } from '@millrace/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDashboard, type DashboardTerms } from '../../apps/dashboard/src/app.ts';
import { type DashboardStack, startDashboard, submitOne } from '../harness/dashboard.ts';
import { type FoundRoute, routesOf } from '../harness/express-routes.ts';
import { call } from '../harness/http.ts';
import { type RoleProcess, spawnRole, startRole } from '../harness/processes.ts';
import { bearer, refusalOf, type SignedIn, signIn, startLockedDashboard, TWO_KEYS } from '../harness/signed-in.ts';

const ROOT = join(import.meta.dirname, '..', '..');

let stack: DashboardStack;
/** With keys; the stack's own has none. */
let locked: RoleProcess;
beforeAll(async () => {
  stack = await startDashboard();
  locked = await startLockedDashboard(stack.env);
}, 120_000);
afterAll(async () => {
  await locked?.stop();
  await stack?.stop();
});

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

describe('every route that changes something', () => {
  const MOUNTS = ['session', 'actions', 'audit', 'batches', 'cost', 'failures', 'flows', 'jobs', 'limits', 'queues'];
  let server: Server;
  let url: string;
  let changing: FoundRoute[];
  let operator: SignedIn;
  let viewer: SignedIn;
  beforeAll(async () => {
    const store = { ...stack.store, log: createLog('dashboard', 'silent') };
    // Only its routes are asked for: none of them comes as far as the index or a file.
    const none = {} as Pick<DashboardTerms, 'index' | 'files'>;
    const web = { folder: join(ROOT, 'apps', 'dashboard', 'web', 'public'), version: 'x' };
    const { app } = createDashboard({ ...none, store, keys: TWO_KEYS, web, apiPort: 7070, unfit: () => null });
    // bull-board is an app of its own; its routes are told by its own table, below.
    const routes = routesOf(app, [...MOUNTS.map((name) => `/api/${name}`), '/board']);
    changing = routes
      .filter(({ method, path }) => !['get', 'head'].includes(method) && !path.startsWith('/board'))
      .map(({ method, path }) => ({ method: method.toUpperCase(), path: path.replaceAll(/:\w+|\*\w+/g, 'x') }));
    server = createServer(app);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    [operator, viewer] = [await signIn(url, 'op-secret'), await signIn(url, 'see')];
  });
  afterAll(() => {
    server?.closeAllConnections();
    server?.close();
  });

  /** All but signing in, which has rules of its own. */
  const others = () => changing.filter(({ method, path }) => !(method === 'POST' && /^\/api\/session\/?$/.test(path)));
  const ask = async ({ method, path }: FoundRoute, headers: Record<string, string>) => {
    const reply = await call(method, `${url}${path}`, '{}', headers);
    return [reply.status, refusalOf(reply)];
  };

  it('is found, on whatever it changes', () => {
    const areas = new Set(changing.map(({ path }) => path.split('/')[2]));
    expect([...areas].sort()).toEqual(['actions', 'batches', 'flows', 'jobs', 'limits', 'queues', 'session']);
    for (const verb of ['cancel', 'retry', 'edit']) {
      expect(changing).toContainEqual({ method: 'POST', path: `/api/jobs/x/${verb}` });
    }
  });

  it('is below /api, and refuses who is not signed in', async () => {
    expect(changing.length).toBeGreaterThan(others().length);
    expect(others().length).toBeGreaterThan(0);
    for (const route of others()) {
      expect(route.path).toMatch(/^\/api\//);
      expect(await ask(route, {}), `${route.method} ${route.path}`).toEqual([401, 'not_signed_in']);
      // From an address of its own: too many wrong keys of one are refused otherwise.
      const wrong = { ...bearer('wrong'), 'x-forwarded-for': `203.0.113.${others().indexOf(route)}` };
      expect(await ask(route, wrong)).toEqual([401, 'not_signed_in']);
      // A session does not make up for a wrong key.
      expect(await ask(route, { ...operator.headers, ...wrong })).toEqual([401, 'not_signed_in']);
    }
  });

  it('refuses a session without the token of its pages, and with another session’s', async () => {
    for (const route of others()) {
      const { cookie } = operator;
      const forged = [{ cookie }, { cookie, 'x-csrf-token': 'x' }, { cookie, 'x-csrf-token': viewer.csrf }];
      for (const headers of forged) expect(await ask(route, headers), route.path).toEqual([403, 'csrf']);
    }
  });

  it('refuses what another site’s page sends, even with the token', async () => {
    const { cookie, csrf } = operator;
    for (const route of others()) {
      for (const from of [
        { 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'same-site' },
        { 'sec-fetch-site': 'none' },
        { origin: 'https://evil.example' },
        { origin: 'null' },
      ]) {
        expect(await ask(route, { cookie, 'x-csrf-token': csrf, ...from }), route.path).toEqual([403, 'csrf']);
      }
    }
  });

  it('refuses a viewer, by session and by key, but for signing out', async () => {
    for (const route of others().filter(({ path }) => !path.startsWith('/api/session'))) {
      for (const headers of [viewer.headers, bearer('see')]) {
        expect(await ask(route, headers), route.path).toEqual([403, 'insufficient_role']);
      }
    }
    const { headers } = await signIn(url, 'see');
    expect(await ask({ method: 'DELETE', path: '/api/session' }, headers)).toEqual([204, undefined]);
  });

  it('lets an operator’s page pass, by its own name or its proxy’s, and a script by its key', async () => {
    const withToken = ({ cookie, csrf }: SignedIn) => ({ cookie, 'x-csrf-token': csrf });
    for (const route of others()) {
      for (const from of [
        (by: SignedIn) => by.headers,
        (by: SignedIn) => ({ ...withToken(by), origin: url }),
        (by: SignedIn) => ({ ...withToken(by), origin: 'https://mill.example', 'x-forwarded-host': 'mill.example' }),
        () => bearer('op-secret'),
      ]) {
        // A session of its own: one of the routes ends it.
        const [status] = await ask(route, from(await signIn(url, 'op-secret')));
        expect([401, 403], `${route.method} ${route.path}`).not.toContain(status);
      }
    }
  });
});

it('pausing a queue through the API is noted too', async () => {
  const api = await startRole('api', { ...stack.env, MILLRACE_API_KEYS: 'ops:operator:op-secret' });
  try {
    for (const verb of ['pause', 'resume']) {
      await call('POST', `${api.url}/v1/queues/generate/${verb}`, {}, bearer('op-secret'));
    }
  } finally {
    await api.stop();
  }
  const { body } = await call('GET', `${locked.url}/api/audit?what=queue`, undefined, bearer('op-secret'));
  const act = { who: 'ops', role: 'operator', target: 'generate', href: '/', detail: 'through the API' };
  expect(body.acts).toMatchObject([
    { ...act, what: 'queue.resume' },
    { ...act, what: 'queue.pause' },
  ]);
});

it('with keys set, everything but the probes and the pages’ own code asks for one; a viewer’s is enough to look', async () => {
  const id = await submitOne(stack.store);
  const eyes = await signIn(locked.url, 'see');
  for (const path of ['/api/session', '/api/nowhere', '/board/api/queues', '/api/live?topics=overview']) {
    expect((await call('GET', `${locked.url}${path}`)).status, path).toBe(401);
    expect((await call('GET', `${locked.url}${path}`, undefined, bearer('wrong'))).status, path).toBe(401);
  }
  for (const path of ['/board/', `/board/queue/generate/${id}`, '/board/api/queues']) {
    for (const headers of [bearer('see'), { cookie: eyes.cookie }]) {
      expect((await call('GET', `${locked.url}${path}`, undefined, headers)).status, path).toBe(200);
    }
  }
  for (const path of ['/healthz', '/readyz', '/']) expect((await call('GET', `${locked.url}${path}`)).status).toBe(200);
  // Behind a key the name does not matter: a proxy's is welcome.
  expect((await statusForHost(`${locked.url}/healthz`, 'dash.example')).status).toBe(200);
});

it('a browser that is not signed in is sent from bull-board to sign in, and told the way back', async () => {
  const path = '/board/queue/generate?status=failed';
  const reply = await fetch(`${locked.url}${path}`, { redirect: 'manual', headers: { accept: 'text/html,*/*;q=0.8' } });
  expect([reply.status, reply.headers.get('location')]).toEqual([303, `/?back=${encodeURIComponent(path)}`]);
});

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
    const reply = await call(verb.toUpperCase(), `${stack.dashboard.url}/board${filled}`, {});
    expect(reply.status, `${verb} ${path}`).toBe(405);
  }
  const queue = stack.store.queues.get('generate')!;
  expect(await queue.bull.isPaused()).toBe(false);
  expect(await queue.bull.getJob(id)).toBeDefined();
  expect(await queue.bull.getDelayedCount()).toBe(1);
});

it('bull-board loads a bounded number of jobs, however many it is asked for', async () => {
  for (let i = 0; i < 120; i++) {
    await submitOne(stack.store, { queue: 'extract', type: 'extract', body: { document: 'd', schema: 's' } });
  }
  for (const status of ['latest', 'prioritized']) {
    const query = `activeQueue=extract&jobsPerPage=100000&status=${status}`;
    const { body } = await call<{ queues: { name: string; jobs: unknown[] }[] }>(
      'GET',
      `${stack.dashboard.url}/board/api/queues?${query}`,
    );
    const { jobs } = body.queues.find(({ name }) => name === 'extract')!;
    expect(jobs.length).toBeGreaterThan(0);
    expect(jobs.length).toBeLessThanOrEqual(100);
  }
});

it('our pages run no inline script, are not framed, sniffed or embedded, and open no door by CORS', async () => {
  for (const path of ['/', '/jobs/x', '/nowhere', '/api/session', '/api/nowhere', '/board/', '/board/api/queues']) {
    const { headers } = await fetch(`${stack.dashboard.url}${path}`, { headers: { origin: 'https://evil.example' } });
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy, path).toContain("default-src 'none'");
    expect(policy, path).toContain("script-src 'self';");
    expect(policy, path).toContain("frame-ancestors 'none'");
    if (!path.startsWith('/board')) expect(policy, path).not.toContain('unsafe');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('access-control-allow-origin')).toBeNull();
    expect(headers.get('x-powered-by')).toBeNull();
  }
  const live = `${stack.dashboard.url}/api/live?topics=overview`;
  expect((await call('GET', live, undefined, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
});

it('without keys only a loopback Host is answered, and changes still need the token of our pages', async () => {
  const { url } = stack.dashboard;
  const evil = await statusForHost(`${url}/`, 'evil.example:7071');
  expect(evil.status).toBe(403);
  expect(evil.body).toContain('MILLRACE_API_KEYS');
  expect((await statusForHost(`${url}/`, 'localhost:7071')).status).toBe(200);
  const { body } = await call('GET', `${url}/api/session`);
  expect(body).toMatchObject({ name: 'anybody', role: 'operator', open: true });
  expect(refusalOf(await call('POST', `${url}/api/queues/x/pause`))).toBe('csrf');
  expect(refusalOf(await call('POST', `${url}/api/queues/x/pause`, {}, bearer('anything')))).toBe('csrf');
  const passed = await call('POST', `${url}/api/queues/x/pause`, {}, { 'x-csrf-token': String(body.csrf) });
  expect(passed.status).toBe(404);
});

it('a port that is taken is said in plain words', async () => {
  const taken = spawnRole('dashboard', { ...stack.env, MILLRACE_DASHBOARD_PORT: new URL(stack.dashboard.url).port });
  expect(await taken.process.exited).toBe(1);
  expect(taken.process.lines.join('\n')).toContain('set MILLRACE_DASHBOARD_PORT to another one');
});
