/** What pages read along ends when it must: with the session that it was opened in, and with the dashboard's process. */
import type { ApiKey } from '@millrace/core';
import { beginAttempt, queueOfJob } from '@millrace/queue';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openSessionTokens, SESSION_MS } from '../../apps/dashboard/src/session-token.ts';
import { type DashboardStack, startDashboard, submitOne } from '../harness/dashboard.ts';
import { call } from '../harness/http.ts';
import { type RoleProcess, startRole } from '../harness/processes.ts';

const KEY: ApiKey = { name: 'ops', role: 'operator', secret: 'op-secret' };
const BOUND_MS = 10_000;

let stack: DashboardStack;
let locked: RoleProcess;
/** It runs for as long as the test does: no worker ends it. */
let running: string;
beforeAll(async () => {
  stack = await startDashboard();
  locked = await startRole('dashboard', { ...stack.env, MILLRACE_API_KEYS: `${KEY.name}:${KEY.role}:${KEY.secret}` });
  running = await submitOne(stack.store);
  await beginAttempt(stack.store, queueOfJob(stack.store, running)!, running, { worker: 'mill:1' });
}, 120_000);
afterAll(async () => {
  await locked?.stop();
  await stack?.stop();
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
  const token = openSessionTokens([KEY], () => Date.now() - SESSION_MS + leftMs).issue(KEY);
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
