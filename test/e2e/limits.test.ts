/** What the API tells of limits, through real processes: a refused key closes one, and one call opens it again. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../harness/eventually.ts';
import { call, type Reply } from '../harness/http.ts';
import { type JobView, type Stack, startStack } from '../harness/stack.ts';

const VIEWER = { authorization: 'Bearer viewer-secret-0123456789' };
const OPERATOR = { authorization: 'Bearer operator-secret-0123456789' };

interface LimitView {
  name: string;
  configured: { requests_per_minute: number | null };
  in_flight: number;
  closed: { reason: string; since: number; next_probe_at: number } | null;
  models: { model: string; requests: { per_minute: number }; tokens: { per_minute: number | null } }[];
}

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    config: {
      limits: { main: { requestsPerMinute: 60_000, models: ['sim-1', 'sim-1-dated'] } },
      queues: { generate: { model: 'sim-1', backoff: { baseSeconds: 0.05, maxSeconds: 0.1 } } },
    },
    env: { MILLRACE_API_KEYS: 'ops:operator:operator-secret-0123456789,eye:viewer:viewer-secret-0123456789' },
  });
}, 60_000);
afterAll(() => stack?.stop());

const get = <T>(path: string): Promise<Reply<T>> => call<T>('GET', `${stack.api.url}${path}`, undefined, VIEWER);
const limit = async (): Promise<LimitView> => {
  const { body } = await get<{ object: string; data: LimitView[] }>('/v1/limits');
  expect(body.object).toBe('list');
  expect(body.data).toHaveLength(1);
  return body.data[0] as LimitView;
};
const submit = async (input: string): Promise<string> => {
  const job = { type: 'generate', request: { input } };
  return (await call<{ id: string }>('POST', `${stack.api.url}/v1/jobs`, job, OPERATOR)).body.id;
};
const job = async (id: string): Promise<JobView> => (await get<JobView>(`/v1/jobs/${id}`)).body;
const resume = (name: string, headers: Record<string, string>): Promise<Reply<LimitView>> =>
  call<LimitView>('POST', `${stack.api.url}/v1/limits/${name}/resume`, undefined, headers);

it('a key that is refused closes its limit, says so everywhere, holds the jobs, and one call opens it', async () => {
  expect(await limit()).toMatchObject({ name: 'main', configured: { requests_per_minute: 60_000 }, closed: null });
  expect((await call('GET', `${stack.api.url}/readyz`)).body).toMatchObject({ ready: true, limits: [] });

  const refused = await submit('Who pays? [[fault:quota x1]]');
  const closed = await eventually('the limit is closed', async () => (await limit()).closed);
  expect(closed.reason).toBe('insufficient_quota');
  expect(closed.next_probe_at).toBeGreaterThan(closed.since);

  const ready = await call('GET', `${stack.api.url}/readyz`);
  expect(ready.status).toBe(200);
  expect(ready.body).toMatchObject({
    ready: true,
    limits: [{ name: 'main', closed: 'insufficient_quota', since: closed.since }],
  });
  const metrics = await get('/metrics');
  expect(metrics.text).toMatch(/^millrace_limit_closed\{limit="main"\} 1$/m);

  const held = await submit('Wait for it.');
  expect((await job(held)).waiting_for).toEqual({
    reason: 'limit_closed',
    until: closed.next_probe_at,
    message: "the limit 'main' is closed: the upstream says the account’s quota is used up",
  });

  expect((await resume('main', VIEWER)).status).toBe(403);
  expect((await limit()).closed).not.toBeNull();
  const resumed = await resume('main', OPERATOR);
  expect(resumed.status).toBe(200);
  expect(resumed.body).toMatchObject({ name: 'main', object: 'limit', closed: null });
  for (const id of [refused, held]) {
    const done = await eventually('the job is done', async () => {
      const found = await job(id);
      return found.status === 'completed' && found;
    });
    expect(done.waiting_for).toBeNull();
    expect(done.attempts.filter(({ counted }) => counted)).toHaveLength(1);
  }
  expect((await call('GET', `${stack.api.url}/readyz`)).body).toMatchObject({ limits: [] });
});

it('a limit that is open stays so when it is resumed, and one that does not exist is named as such', async () => {
  expect((await resume('main', OPERATOR)).body.closed).toBeNull();
  const unknown = await call('POST', `${stack.api.url}/v1/limits/nope/resume`, undefined, OPERATOR);
  expect(unknown.status).toBe(404);
  expect(unknown.body.error).toMatchObject({ code: 'limit_not_found', param: 'limit' });
  expect(String((unknown.body.error as { message: string }).message)).toContain('The limits are: main.');
  const inherited = await call('POST', `${stack.api.url}/v1/limits/constructor/resume`, undefined, OPERATOR);
  expect(inherited.status).toBe(404);
});

it('a job that needs more than its limit has in a minute fails at once, and says so', async () => {
  const small = await startStack({
    config: { limits: { main: { tokensPerMinute: 1000 } }, queues: { generate: { model: 'sim-1' } } },
  });
  try {
    const request = { input: 'x', max_output_tokens: 5000 };
    const { body } = await call<{ id: string }>('POST', `${small.api.url}/v1/jobs`, { type: 'generate', request });
    const done = await eventually('it has failed', async () => {
      const found = (await call<JobView>('GET', `${small.api.url}/v1/jobs/${body.id}`)).body;
      return found.status === 'failed' && found;
    });
    expect(done.error).toMatchObject({ code: 'request_too_large' });
    expect(done.error?.message).toContain('1000');
    expect(small.simulator.stats().requests).toBe(0);
    const plain = await call('POST', `${small.api.url}/v1/responses`, request);
    expect([plain.status, (plain.body.error as { code: string }).code]).toEqual([400, 'request_too_large']);
  } finally {
    await small.stop();
  }
}, 60_000);
