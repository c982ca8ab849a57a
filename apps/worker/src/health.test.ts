import { StartError } from '@millrace/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { call } from '../../../test/harness/http.ts';
import { type Health, startHealth } from './health.ts';

let health: Health;
let ready = true;
beforeAll(async () => {
  health = await startHealth('127.0.0.1', 0, {
    ready: () => ({ ready, redis: ready, stopping: false }),
    inFlight: () => 7,
    restarts: () => 2,
    clockSkewMs: () => -1500,
  });
});
afterAll(() => health?.close());

const get = (path: string): ReturnType<typeof call> => call('GET', `http://127.0.0.1:${health.port}${path}`);

it('is alive whether it is ready or not', async () => {
  for (ready of [true, false]) expect(await get('/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } });
});

it('is ready while it can take jobs, and says what is amiss when it cannot', async () => {
  ready = true;
  expect(await get('/readyz')).toMatchObject({ status: 200, body: { ready: true } });
  ready = false;
  expect(await get('/readyz')).toMatchObject({ status: 503, body: { ready: false, redis: false } });
});

it('tells what runs here and what the process takes, as Prometheus reads it', async () => {
  const { status, headers, text } = await get('/metrics');
  expect([status, headers.get('content-type')]).toEqual([200, expect.stringContaining('text/plain')]);
  expect(text).toMatch(/^millrace_worker_in_flight 7$/m);
  expect(text).toMatch(/^millrace_worker_restarts_total 2$/m);
  expect(text).toMatch(/^millrace_worker_clock_skew_seconds -1.5$/m);
  expect(text).toMatch(/^nodejs_eventloop_lag_seconds /m);
});

it('has nothing else', async () => {
  expect(await get('/anything')).toMatchObject({ status: 404, body: { error: { code: 'not_found', param: null } } });
});

it('a port that is taken is named, with the variable that changes it', async () => {
  const again = startHealth('127.0.0.1', health.port, {
    ready: () => ({ ready: true }),
    inFlight: () => 0,
    restarts: () => 0,
    clockSkewMs: () => 0,
  });
  await expect(again).rejects.toThrow(StartError);
  await expect(again).rejects.toThrow(new RegExp(`${health.port}.*MILLRACE_WORKER_PORT`));
});
