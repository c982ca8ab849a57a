/** What the dashboard says while its Redis, or the dashboard itself, is away; and that an open page recovers. */
import { appendEvents, beginAttempt, finishByOutcome, type StoreQueue } from '@millrace/queue';
import { freePort } from '@millrace/queue/local-redis';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserMissing, type LaunchedBrowser, launchBrowser, withPage } from '../harness/browser.ts';
import { type DashboardStack, startDashboard, submitOne } from '../harness/dashboard.ts';
import { call } from '../harness/http.ts';
import { startRole } from '../harness/processes.ts';
import { freshRedis, type TestRedis } from '../harness/redis.ts';

const missing = browserMissing();

describe.skipIf(missing !== null)(`an outage in a browser${missing === null ? '' : ` (skipped: ${missing})`}`, () => {
  let stack: DashboardStack;
  let launched: LaunchedBrowser;
  beforeAll(async () => {
    [stack, launched] = await Promise.all([startDashboard(), launchBrowser()]);
  }, 180_000);
  afterAll(async () => {
    await launched?.close();
    await stack?.stop();
  });

  const live = (page: Page): Promise<void> => page.locator('#live.live').waitFor();
  const waiting = (page: Page) => page.locator('[data-figure="waiting:generate"]');

  it('a Redis that falls silent is told with the time of the figures, what needs it answers 503, and the page recovers by itself', async () => {
    const { url } = stack.dashboard;
    await submitOne(stack.store);
    await withPage(launched.browser, url, async (page) => {
      await live(page);
      await waiting(page).getByText('1', { exact: true }).waitFor();
      await page.evaluate('window.loadedOnce = true');
      const told = page.locator('.banner[role=alert]', { hasText: 'Redis cannot be reached.' });
      process.kill(stack.redis.pid, 'SIGSTOP');
      try {
        await page.locator('#live.stale').waitFor();
        await told.getByText(/The figures are those of \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/).waitFor();
        expect(await waiting(page).textContent()).toBe('1');
        expect((await call('GET', `${url}/readyz`)).status).toBe(503);
        expect((await call('GET', `${url}/board/api/queues`)).status).toBe(503);
        for (const path of ['/healthz', '/', '/board/']) {
          expect((await call('GET', `${url}${path}`)).status, path).toBe(200);
        }
        // A change that cannot be made says so beside its button.
        await page.getByRole('button', { name: 'Pause the queue extract' }).click();
        await page.locator('.act-problem').waitFor();
        await page.getByRole('link', { name: 'Jobs', exact: true }).click();
        await page.getByText('Asked for again every two seconds.').waitFor();
      } finally {
        process.kill(stack.redis.pid, 'SIGCONT');
      }
      await page.locator('table.jobs tbody tr').waitFor();
      await page.getByRole('link', { name: 'Overview' }).click();
      await page.getByText('on disk before it is acknowledged').waitFor();
      await told.waitFor({ state: 'detached' });
      await submitOne(stack.store);
      await waiting(page).getByText('2', { exact: true }).waitFor();
      expect(await page.evaluate('window.loadedOnce')).toBe(true);
    });
  });

  it('a job’s page says so, keeps what it has and goes on by itself, its text too; so does one that is opened meanwhile', async () => {
    const { store, dashboard, redis } = stack;
    const generate = store.queues.get('generate') as StoreQueue;
    const id = await submitOne(store, { stream: true, body: { input: 'what is asked' } });
    const begun = await beginAttempt(store, generate, id, { worker: 'mill:1' });
    if (begun.kind !== 'begun') throw new Error(begun.kind);
    let said = 0;
    const say = async (delta: string): Promise<void> => {
      const frames = `event: response.output_text.delta\ndata: ${JSON.stringify({ delta })}\n\n`;
      const entries = [{ first: said++, count: 1, frames }];
      await appendEvents(store, generate, id, begun.epoch, { entries, fresh: true, checkpoint: null });
    };
    await say('one ');
    await withPage(launched.browser, 'about:blank', async (page) => {
      // As it is while Redis is away for long: browsers ask no more for a stream that was refused once.
      let asked = 0;
      await page.route('**/api/jobs/*/events', (route) =>
        asked++ === 0 ? route.fulfill({ status: 503 }) : route.continue(),
      );
      await page.goto(`${dashboard.url}/jobs/${id}`);
      const text = page.locator('.live-text');
      await text.waitFor();
      expect(asked).toBe(2);
      const away = page.locator('.banner[role=alert]', { hasText: 'Redis cannot be reached.' });
      const late = await page.context().newPage();
      process.kill(redis.pid, 'SIGSTOP');
      try {
        await away.waitFor();
        await page.getByRole('button', { name: 'Cancel' }).click();
        await page.locator('.actions .notice.bad', { hasText: 'Redis' }).waitFor();
        await late.goto(`${dashboard.url}/jobs/${id}`);
        await late.locator('.job .notice.bad', { hasText: 'Redis' }).waitFor();
        expect(await text.textContent()).toBe('one ');
        expect(await page.locator('.chat').textContent()).toContain('what is asked');
      } finally {
        process.kill(redis.pid, 'SIGCONT');
      }
      await away.waitFor({ state: 'detached' });
      await say('two');
      for (const one of [page, late]) await one.locator('.live-text', { hasText: 'one two' }).waitFor();
      expect(await late.locator('.job .notice.bad').count()).toBe(0);
      const answer = { response: { id: 'resp_up', object: 'response' as const }, output_text: 'one two.', usage: null };
      await finishByOutcome(store, generate, id, begun.epoch, { kind: 'completed', answer });
      for (const one of [page, late]) await one.locator('.markdown', { hasText: 'one two.' }).waitFor();
    });
  });

  it('a dashboard started before its Redis says so, and shows the figures once Redis is there', async () => {
    const port = await freePort();
    const early = await startRole('dashboard', { ...stack.env, REDIS_URL: `redis://127.0.0.1:${port}` });
    let late: TestRedis | undefined;
    try {
      expect((await call('GET', `${early.url}/healthz`)).status).toBe(200);
      expect((await call('GET', `${early.url}/readyz`)).status).toBe(503);
      await withPage(launched.browser, early.url, async (page) => {
        await page.getByText('Nothing could be read yet.').waitFor();
        expect(await page.locator('[data-stat="Throughput"]').textContent()).toBe('–');
        late = await freshRedis({ port });
        await waiting(page).getByText('0', { exact: true }).waitFor();
        expect(await page.locator('[data-stat="Throughput"]').textContent()).toBe('0');
      });
    } finally {
      await early.stop();
      await late?.dispose();
    }
  });

  it('a dashboard that goes away is told, and the page is live again once it is back', async () => {
    const first = await startRole('dashboard', stack.env);
    await withPage(launched.browser, first.url, async (page) => {
      await live(page);
      expect(await first.stop()).toBe(0);
      await page.locator('#live.lost').waitFor();
      const second = await startRole('dashboard', { ...stack.env, MILLRACE_DASHBOARD_PORT: new URL(first.url).port });
      try {
        await live(page);
      } finally {
        await page.close();
        await second.stop();
      }
    });
  });
});
