/**
 * Sessions: how one begins and ends, what wrong keys come to, and what of it is noted. What pages read along ends with the
 * session that it was opened in, and with the dashboard's process.
 */
import { beginAttempt, queueOfJob } from '@millrace/queue';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSessionTokens, SESSION_MS } from '../../apps/dashboard/src/session-token.ts';
import { type DashboardStack, startDashboard, submitOne } from '../harness/dashboard.ts';
import { eventually } from '../harness/eventually.ts';
import { call } from '../harness/http.ts';
import { type RoleProcess, startRole } from '../harness/processes.ts';
import { bearer, refusalOf, signIn, startLockedDashboard, TWO_KEYS } from '../harness/signed-in.ts';

const BOUND_MS = 10_000;

let stack: DashboardStack;
let locked: RoleProcess;
/** It runs for as long as the test does: no worker ends it. */
let running: string;
beforeAll(async () => {
  stack = await startDashboard();
  locked = await startLockedDashboard(stack.env);
  running = await submitOne(stack.store);
  await beginAttempt(stack.store, queueOfJob(stack.store, running)!, running, { worker: 'mill:1' });
}, 120_000);
afterAll(async () => {
  await locked?.stop();
  await stack?.stop();
});

describe('signing in', () => {
  const session = () => `${locked.url}/api/session`;

  it('makes of a key a cookie that no script reads and no other site’s page sends', async () => {
    const plain = await call('POST', session(), { key: ' op-secret ' });
    expect(plain.body).toMatchObject({ name: 'ops', role: 'operator', open: false });
    const cookie = plain.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(
      /^millrace_session=[\w.-]+; Max-Age=43200; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Strict$/,
    );
    expect(cookie).not.toContain('op-secret');
    const proxied = await call('POST', session(), { key: 'op-secret' }, { 'x-forwarded-proto': 'https' });
    expect(proxied.headers.get('set-cookie')).toContain('; Secure');
  });

  it('is for our own pages, and for JSON only', async () => {
    const key = { key: 'op-secret' };
    for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.example' }]) {
      expect(refusalOf(await call('POST', session(), key, headers))).toBe('cross_site');
    }
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
      const reply = await call('POST', session(), JSON.stringify(key), { 'content-type': type });
      expect([reply.status, refusalOf(reply), reply.headers.get('set-cookie')]).toEqual([
        400,
        'unsupported_content_type',
        null,
      ]);
    }
    expect(refusalOf(await call('POST', session(), '{"key":"op-secret"'))).toBe('invalid_json');
    expect(refusalOf(await call('POST', session(), { key: 'x'.repeat(5000) }))).toBe('request_too_large');
    expect(refusalOf(await call('POST', session(), { key: 5 }))).toBe('invalid_value');
  });

  it('out again: the cookie is taken back, and a strange page cannot do it', async () => {
    const eyes = await signIn(locked.url, 'see');
    expect((await call('GET', session(), undefined, eyes.headers)).body).toMatchObject({
      name: 'eyes',
      role: 'viewer',
    });
    expect(refusalOf(await call('DELETE', session(), undefined, { cookie: eyes.cookie }))).toBe('csrf');
    const out = await call('DELETE', session(), undefined, eyes.headers);
    expect(out.status).toBe(204);
    expect(out.headers.get('set-cookie')).toMatch(/^millrace_session=; Path=\/; Expires=Thu, 01 Jan 1970/);
    expect((await call('GET', session(), undefined, { cookie: 'millrace_session=x.y' })).status).toBe(401);
  });

  it('tried too often with wrong keys is refused for a while, even with the right one; others are not', async () => {
    const from = (address: string) => ({ 'x-forwarded-for': address });
    for (let i = 0; i < 10; i++) {
      expect(refusalOf(await call('POST', session(), { key: `guess-${i}` }, from('203.0.113.7')))).toBe(
        'invalid_api_key',
      );
    }
    const refused = await call('POST', session(), { key: 'op-secret' }, from('203.0.113.7'));
    expect([refused.status, refusalOf(refused)]).toEqual([429, 'too_many_attempts']);
    expect(refused.body).toMatchObject({ error: { type: 'rate_limit_error', param: null } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await call('POST', session(), { key: 'op-secret' }, from('203.0.113.8'))).status).toBe(200);
    const log = await eventually('it is in the log', () => {
      const lines = locked.lines.join('\n');
      return lines.includes('203.0.113.7') && lines;
    });
    for (const secret of ['guess-', 'op-secret']) expect(log).not.toContain(secret);
  });

  it('wrong keys sent as Bearers are refused for a while, never a right one, and others at the address can sign in', async () => {
    const from = { 'x-forwarded-for': '203.0.113.20' };
    const send = (secret: string) => call('GET', session(), undefined, { ...from, ...bearer(secret) });
    for (let i = 0; i < 10; i++) expect(refusalOf(await send('an-old-key'))).toBe('not_signed_in');
    const refused = await send('an-old-key');
    expect([refused.status, refusalOf(refused)]).toEqual([429, 'too_many_attempts']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await send('op-secret')).body).toMatchObject({ name: 'ops' });
    expect((await call('POST', session(), { key: 'op-secret' }, from)).status).toBe(200);
    // What is no Bearer, as a proxy's own, is no try; neither is a key that another address sends.
    const basic = { 'x-forwarded-for': '203.0.113.21', authorization: 'Basic b3BzOng=' };
    for (let i = 0; i < 12; i++) expect((await call('GET', session(), undefined, basic)).status).toBe(401);
    expect(locked.lines.join('\n')).not.toContain('an-old-key');
  });

  it('works while Redis is away, and what could not be noted is in the log', async () => {
    process.kill(stack.redis.pid, 'SIGSTOP');
    try {
      expect((await signIn(locked.url, 'op-secret')).csrf).toMatch(/^[\w-]{40,}$/);
      await eventually('it is in the log', () =>
        locked.lines.some((line) => line.includes('could not be noted') && line.includes('session.sign_in')),
      );
    } finally {
      process.kill(stack.redis.pid, 'SIGCONT');
    }
    await eventually('Redis is back', async () => (await call('GET', `${locked.url}/readyz`)).status === 200);
  });
});

it('the audit list has who did what, page by page; it is for operators', async () => {
  const audit = `${locked.url}/api/audit`;
  await signIn(locked.url, 'see');
  const act = await eventually('the sign-in is noted', async () => {
    const { body } = await call<{ acts: Record<string, unknown>[] }>('GET', audit, undefined, bearer('op-secret'));
    return body.acts.find(({ who, what }) => who === 'eyes' && what === 'session.sign_in');
  });
  expect(act).toMatchObject({ role: 'viewer', target: '', href: null, detail: 'from 127.0.0.1' });
  const { body } = await call<{ acts: { what: string; who: string }[] }>(
    'GET',
    `${audit}?what=session.refused`,
    undefined,
    bearer('op-secret'),
  );
  expect(body.acts.length).toBeGreaterThan(0);
  for (const one of body.acts) expect(one).toMatchObject({ who: '', role: null, what: 'session.refused' });
  expect(JSON.stringify([act, body])).not.toMatch(/guess-|op-secret/);
  const refused = await call('GET', audit, undefined, bearer('see'));
  expect([refused.status, refusalOf(refused)]).toEqual([403, 'insufficient_role']);
  for (const query of ['after=x', 'who=a&who=b', `what=${'x'.repeat(201)}`]) {
    expect((await call('GET', `${audit}?${query}`, undefined, bearer('op-secret'))).status, query).toBe(400);
  }
});

const STREAMS = (): [path: string, first: string][] => [
  ['/api/live?topics=overview', 'event: version'],
  [`/api/jobs/${running}/events`, 'event: begin'],
];

interface Opened {
  status: number;
  /** Resolves when it has told what it begins with. */
  begun: Promise<void>;
  /** Resolves when it ends, in whatever way. */
  over: Promise<void>;
}

async function open(url: string, first: string, headers: Record<string, string> = {}): Promise<Opened> {
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(BOUND_MS) });
  const { promise: begun, resolve, reject } = Promise.withResolvers<void>();
  const read = async (): Promise<void> => {
    let text = '';
    try {
      for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
        text += piece;
        if (text.includes(first)) resolve();
      }
    } catch (error) {
      // Cut off by the other end is an end too; that nothing came in time is none.
      if ((error as Error).name === 'TimeoutError') throw error;
    }
    reject(new Error(`it ended before '${first}'`));
  };
  return { status: response.status, begun, over: read() };
}

it('a stream ends with the session that it was opened in, and what is asked for after that is refused', async () => {
  const leftMs = 1000;
  const token = openSessionTokens(TWO_KEYS, () => Date.now() - SESSION_MS + leftMs).issue(TWO_KEYS[0]!);
  const headers = { cookie: `millrace_session=${token}` };
  const streams = await Promise.all(STREAMS().map(([path, first]) => open(`${locked.url}${path}`, first, headers)));
  for (const { status, begun, over } of streams) {
    expect(status).toBe(200);
    await begun;
    await over;
  }
  for (const path of ['/api/session', ...STREAMS().map(([stream]) => stream)]) {
    expect((await call('GET', `${locked.url}${path}`, undefined, headers)).status, path).toBe(401);
  }
});

it('SIGTERM ends the process with 0, soon, while pages are open and read a running job’s text along', async () => {
  const other = await startRole('dashboard', stack.env);
  const streams = await Promise.all(STREAMS().map(([path, first]) => open(`${other.url}${path}`, first)));
  for (const { begun } of streams) await begun;
  const asked = performance.now();
  expect(await other.stop()).toBe(0);
  // They are cut off after a second; this is room for a busy machine, and far from the 5 s after which it gives up.
  expect(performance.now() - asked).toBeLessThan(4000);
  for (const { over } of streams) await over;
});
